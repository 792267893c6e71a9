import { type Component, checkNames, checkSignal, type Health, InvalidArgumentError } from '@quorate/core';
import type { Workflow, WorkflowResultType } from '@temporalio/common';
import { type CallOptions, Channel } from './connection/channel.ts';
import { findNamespace } from './connection/namespace.ts';
import { dataConverter } from './payloads/data-converter.ts';
import { type RunSummary, summaryOf } from './runs/description.ts';
import { WorkflowRun } from './runs/run.ts';
import { carrying } from './runs/sending.ts';
import { startRun } from './runs/start.ts';
import { checkStart, type StartOptions } from './runs/start-options.ts';
import { Schedules } from './schedules/schedules.ts';
import { type Poller, pollersOf } from './worker/pollers.ts';
import { type UseVersionOptions, useVersion } from './worker/version.ts';
import { checkWorkerOptions, type WorkerOptions } from './worker/worker-options.ts';
import { WorkflowWorker } from './worker/workflow-worker.ts';
import { checkWorkflowsOptions, text, type WorkflowsOptions, whole } from './workflows-options.ts';

/**
 * Durable workflows on Temporal.
 *
 *     await using workflows = await Workflows.connect({ address: '127.0.0.1:7233', taskQueue: 'taxi' });
 *     await using worker = await workflows.worker({ workflowsPath: new URL('workflows.ts', import.meta.url), activities });
 *     const run = await workflows.start(ride, { id: 'ride-4711', args: ['cab-42'] });
 *     console.log(await run.result());
 */
export class Workflows implements AsyncDisposable {
  /** For a service: connected while it starts, closed when it stops. */
  readonly component: Component;
  readonly schedules: Schedules;
  readonly #channel: Channel;
  readonly #workers = new Set<WorkflowWorker>();

  /** Resolves when the server has answered, and the namespace is there. */
  static async connect({ signal, ...options }: WorkflowsOptions & CallOptions): Promise<Workflows> {
    checkSignal('signal', signal);
    const workflows = new Workflows(options);
    try {
      await workflows.#connect(signal);
      return workflows;
    } catch (error) {
      await workflows.close();
      throw error;
    }
  }

  /** It connects when it is first used, or when its `component` is started. */
  constructor(options: WorkflowsOptions) {
    const settings = checkWorkflowsOptions(options);
    this.#channel = new Channel(settings, {
      dataConverter: dataConverter(settings, 'client'),
      interceptors: { workflow: [carrying] },
    });
    this.schedules = new Schedules(this.#channel);
    this.component = {
      name: settings.name,
      start: (signal) => this.#connect(signal),
      stop: () => this.close(),
      health: () => this.health(),
    };
  }

  /** Starts a workflow: a function, or the name of one. */
  async start<Of extends Workflow>(
    workflow: Of | string,
    options: StartOptions<Of>,
  ): Promise<WorkflowRun<WorkflowResultType<Of>>> {
    const { taskQueue } = this.#channel.settings;
    return await startRun(this.#channel, checkStart(workflow, options as unknown as StartOptions<Workflow>, taskQueue));
  }

  /** A workflow that was started before. Nobody is asked. `runId` is that of its first run: `run.runId`, or `firstRunId` of a list or a description. */
  get<Result = unknown>(id: string, { runId }: { readonly runId?: string } = {}): WorkflowRun<Result> {
    return new WorkflowRun<Result>(this.#channel, { id: text('id', id), runId });
  }

  /** Workflows by a query of Temporal, such as `ExecutionStatus = "Running"`; the newest first. Shown a moment after they have changed. */
  async list(options: CallOptions & { readonly query?: string; readonly limit?: number } = {}): Promise<RunSummary[]> {
    checkNames('options', options, ['query', 'limit', 'signal']);
    const { query = '', limit = 100, signal } = options;
    checkSignal('signal', signal);
    if (typeof query !== 'string') throw new InvalidArgumentError('query', 'text', query);
    whole('limit', limit, 1, 100_000);
    return await this.#channel.call(
      { what: 'listing workflows', writes: false },
      async () => {
        const found: RunSummary[] = [];
        for await (const info of this.#channel.client.workflow.list({ query, pageSize: Math.min(limit, 1_000) })) {
          found.push(summaryOf(info, info.raw.firstRunId));
          if (found.length === limit) break;
        }
        return found;
      },
      { signal },
    );
  }

  /** Who works at a queue. */
  async pollers({ taskQueue, signal }: CallOptions & { readonly taskQueue?: string } = {}): Promise<Poller[]> {
    return await pollersOf(this.#channel, text('taskQueue', taskQueue ?? this.#channel.settings.taskQueue), { signal });
  }

  /** Resolves when it polls. */
  async worker({ signal, ...options }: WorkerOptions): Promise<WorkflowWorker> {
    checkSignal('signal', signal);
    const worker = this.prepareWorker(options);
    try {
      await worker.start(signal ?? new AbortController().signal);
      return worker;
    } catch (error) {
      await worker.stop();
      throw error;
    }
  }

  /** A worker that begins when it is started, as a component of a service. */
  prepareWorker(options: Omit<WorkerOptions, 'signal'>): WorkflowWorker {
    const settings = checkWorkerOptions(options, this.#channel.settings.taskQueue);
    const worker = new WorkflowWorker(this.#channel, settings, (stopped) => void this.#workers.delete(stopped));
    this.#workers.add(worker);
    return worker;
  }

  /**
   * New workflows go to workers of this version from now on, and those with `auto-upgrade` move to it. It has to be there: its workers poll, or did.
   * Until this is called for the first time, workflows go to workers without a version.
   */
  async useVersion(options: UseVersionOptions): Promise<void> {
    await useVersion(this.#channel, options);
  }

  health(): Health {
    if (this.#channel.isClosed) return { status: 'fail', detail: 'it was closed' };
    return { status: 'pass' };
  }

  /** Stops the workers, each as `worker.stop` does, and closes the connection. Idempotent. */
  async close(): Promise<void> {
    await Promise.all([...this.#workers].map((worker) => worker.stop()));
    await this.#channel.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #connect(signal: AbortSignal | undefined): Promise<void> {
    await this.#channel.connect(signal);
    await findNamespace(this.#channel, signal);
  }
}
