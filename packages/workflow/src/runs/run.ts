import { checkNames, checkSignal } from '@quorate/core';
import type { WorkflowHandle } from '@temporalio/client';
import type { QueryDefinition, SignalDefinition, UpdateDefinition } from '@temporalio/common';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { checkArguments, type WithArguments } from '../arguments.ts';
import type { Progress } from '../carried/progress.ts';
import type { CallOptions, Channel } from '../connection/channel.ts';
import { text } from '../workflows-options.ts';
import { descriptionOf, type RunDescription } from './description.ts';
import { look } from './look.ts';
import { type ResultOptions, resultOf } from './result.ts';
import { sent } from './sending.ts';

/** The arguments of a call, where there are any, and how long it is waited for. */
export type AskOptions<Arguments extends readonly unknown[]> = CallOptions & WithArguments<Arguments>;

/**
 * A workflow that was started, here or elsewhere. Where its run is known, `result`, `cancel` and `terminate` are about it and those that continue it. Hazard: everything else
 * is about what runs under its id now, or was the last to do so, as the server knows no other way.
 */
export class WorkflowRun<Result = unknown> {
  readonly id: string;
  /** Of the run that was started first; one that is continued as new has others behind it. Nothing when the workflow was looked up by its id alone. */
  readonly runId: string | undefined;
  readonly #channel: Channel;

  constructor(channel: Channel, { id, runId }: { readonly id: string; readonly runId?: string | undefined }) {
    this.#channel = channel;
    this.id = id;
    this.runId = runId;
  }

  /** Waits until the workflow has ended, however long and through restarts of the server. Rejects with `WorkflowFailedError` when there is no result. */
  async result(options: ResultOptions = {}): Promise<Result> {
    checkNames('options', options, ['signal', 'whenStuck']);
    checkSignal('signal', options.signal);
    return (await resultOf(this.#channel, this, options)) as Result;
  }

  /** Asks the workflow's code. By default how far it is. */
  async query(name: 'progress', options?: CallOptions): Promise<Progress>;
  async query<Answer, Arguments extends unknown[] = []>(
    query: QueryDefinition<Answer, Arguments> | string,
    options?: AskOptions<Arguments>,
  ): Promise<Answer>;
  async query(
    query: QueryDefinition<unknown> | string,
    options: AskOptions<unknown[]> = { args: [] },
  ): Promise<unknown> {
    const { name, args } = checkAsk(query, options);
    return await this.#ask('query', name, { ...options, writes: false }, (handle) =>
      handle.query(name, ...(args as [])),
    );
  }

  /** Tells the workflow something. Resolves when the server has it; the workflow gets it once. */
  async signal<Arguments extends unknown[] = []>(
    signal: SignalDefinition<Arguments> | string,
    options: AskOptions<Arguments> = {} as AskOptions<Arguments>,
  ): Promise<void> {
    const { name, args } = checkAsk(signal, options);
    await this.#ask('signal', name, { ...options, writes: true }, (handle) => handle.signal(name, ...(args as [])));
  }

  /** Tells the workflow something, and waits for what its handler answers. */
  async update<Answer, Arguments extends unknown[] = []>(
    update: UpdateDefinition<Answer, Arguments> | string,
    options: AskOptions<Arguments> & { readonly updateId?: string } = {} as AskOptions<Arguments>,
  ): Promise<Answer> {
    const { name, args } = checkAsk(update, options, ['updateId']);
    const { updateId } = options as { updateId?: string };
    return (await this.#ask('update', name, { ...options, writes: true }, (handle) =>
      handle.executeUpdate(name, {
        args: args as [],
        ...(updateId !== undefined && { updateId: text('updateId', updateId) }),
      }),
    )) as Answer;
  }

  /** Asks the workflow to stop: what its sagas have done is undone. Resolves when the server has it. */
  async cancel(options: CallOptions = {}): Promise<void> {
    const what = `cancelling "${this.id}"`;
    await this.#channel.call({ what, writes: true, id: this.id }, () => this.#handle().cancel(), checkCall(options));
  }

  /** Ends the workflow at once. Nothing is undone. */
  async terminate(reason: string, options: CallOptions = {}): Promise<void> {
    const what = `terminating "${this.id}"`;
    const why = text('reason', reason);
    await this.#channel.call(
      { what, writes: true, id: this.id },
      () => this.#handle().terminate(why),
      checkCall(options),
    );
  }

  async describe(options: CallOptions = {}): Promise<RunDescription> {
    return await descriptionOf(this.#channel, await look(this.#channel, this.id, checkCall(options)));
  }

  /** All that has happened in it, as JSON: what `replay` takes, and Temporal's own page. */
  async history(options: CallOptions = {}): Promise<string> {
    const asked = { what: `reading the history of "${this.id}"`, writes: false, id: this.id };
    return historyToJSON(await this.#channel.call(asked, () => this.#handle().fetchHistory(), checkCall(options)));
  }

  #handle(): WorkflowHandle {
    // For cancelling and terminating: none that was started later under the same id. All else goes to what is there now.
    const chain = this.runId === undefined ? {} : { firstExecutionRunId: this.runId };
    return this.#channel.client.workflow.getHandle(this.id, undefined, chain);
  }

  async #ask<Answer>(
    operation: 'query' | 'signal' | 'update',
    name: string,
    { signal, writes }: CallOptions & { readonly writes: boolean },
    ask: (handle: WorkflowHandle) => Promise<Answer>,
  ): Promise<Answer> {
    const what = `${operation} "${name}"`;
    const call = { operation, type: name, id: this.id };
    return await this.#channel.call(
      { what, writes, id: this.id },
      () => sent(this.#channel.settings.tracing, call, {}, () => ask(this.#handle())),
      { signal },
    );
  }
}

function checkCall(options: CallOptions): CallOptions {
  checkNames('options', options, ['signal']);
  checkSignal('signal', options.signal);
  return options;
}

function checkAsk(
  asked: { readonly name: string } | string,
  options: AskOptions<unknown[]>,
  more: readonly string[] = [],
): { readonly name: string; readonly args: readonly unknown[] } {
  checkNames('options', options, ['args', 'signal', ...more]);
  checkSignal('signal', options.signal);
  const name = text('name', typeof asked === 'string' ? asked : asked?.name);
  return { name, args: checkArguments(options.args) };
}
