import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { DeadlineExceededError, deadline, isQuorateError, sleep } from '@quorate/core';
import type { Worker, WorkerOptions } from '@temporalio/worker';
import type { Channel } from '../connection/channel.ts';
import { explained } from '../connection/explained.ts';
import { sharedRuntime } from '../connection/runtime.ts';
import { RefusedError } from '../errors/refused-error.ts';
import { WorkerFailedError } from '../errors/worker-failed-error.ts';
import { dataConverter } from '../payloads/data-converter.ts';
import { activityInterceptor, type Lease } from './activity-interceptor.ts';
import type { Bundle } from './bundle.ts';
import { type Poller, pollersOf } from './pollers.ts';
import { runSinks } from './run-sinks.ts';
import { kindsOfVersion } from './version.ts';
import type { WorkerSettings } from './worker-options.ts';

/** A server that does not list a poller after so long counts as one that never does, as some behind a proxy. */
const patience = 5_000;

/**
 * How long a task of a workflow is kept for the worker that has it in its memory, before any other may have it: so long nothing goes on after that one has died. The
 * library's own 10 s are long.
 */
const keptFor = 2_000;

/** One time of polling, from its start to its end. */
export class Term {
  readonly identity: string;
  readonly #channel: Channel;
  readonly #settings: WorkerSettings;
  readonly #worker: Worker;
  readonly #running: Promise<void>;
  #failure: unknown;

  /** Resolves when the server knows that it polls. When it rejects, nothing polls. */
  static async begin(
    channel: Channel,
    settings: WorkerSettings,
    bundle: Bundle | undefined,
    { lease, signal }: { readonly lease?: Lease; readonly signal: AbortSignal },
  ): Promise<Term> {
    const { Worker } = await sharedRuntime();
    const connection = await channel.native(signal);
    signal.throwIfAborted();
    const identity = identityOf(channel.settings.identity, bundle);
    const options: WorkerOptions = { ...optionsOf(channel, settings, bundle, lease), connection, identity };
    let worker: Worker;
    try {
      worker = await Worker.create(options);
    } catch (error) {
      const what = `starting a worker of "${settings.taskQueue}"`;
      if (error instanceof Error && /multiple workers with overlapping/.test(error.message))
        throw new RefusedError(
          what,
          'this connection has a worker of that queue already; stop it before, or connect once more',
          { cause: error },
        );
      throw explained(error, { what, writes: false });
    }
    const term = new Term(channel, settings, worker, identity);
    try {
      await term.#polls(bundle !== undefined, signal);
    } catch (error) {
      await term.end();
      throw error;
    }
    return term;
  }

  private constructor(channel: Channel, settings: WorkerSettings, worker: Worker, identity: string) {
    this.#channel = channel;
    this.#settings = settings;
    this.#worker = worker;
    this.identity = identity;
    this.#running = worker.run().catch((error: unknown) => {
      this.#failure = error;
    });
  }

  /** Resolves when it does not poll any more, with the error when it has ended by itself. */
  async ended(): Promise<WorkerFailedError | undefined> {
    await this.#running;
    if (this.#failure === undefined) return undefined;
    const why = this.#failure instanceof Error ? this.#failure.message : String(this.#failure);
    return new WorkerFailedError(this.#settings.taskQueue, why, { cause: this.#failure });
  }

  /** What is under way is finished, or told to stop when the time for it is over. */
  async end(): Promise<void> {
    if (this.#worker.getState() === 'RUNNING') this.#worker.shutdown();
    await this.#running;
  }

  async pollers(signal: AbortSignal): Promise<Poller[]> {
    return await pollersOf(this.#channel, this.#settings.taskQueue, { signal });
  }

  async #polls(workflows: boolean, signal: AbortSignal): Promise<void> {
    const kinds: Poller['kind'][] = [
      ...(workflows ? (['workflow'] as const) : []),
      ...(Object.keys(this.#settings.activities).length > 0 ? (['activity'] as const) : []),
    ];
    using limit = deadline(patience);
    for (;;) {
      const failed = this.#worker.getState() === 'FAILED' ? await this.ended() : undefined;
      if (failed !== undefined) throw failed;
      const pollers = await this.pollers(signal).catch((error: unknown) => {
        if (!isQuorateError(error) || !(error.retryable || error instanceof DeadlineExceededError)) throw error;
        return undefined;
      });
      const mine = pollers?.filter(({ identity }) => identity === this.identity).map(({ kind }) => kind) ?? [];
      const { version, taskQueue } = this.#settings;
      const known =
        version === undefined
          ? mine
          : await kindsOfVersion(this.#channel, version, { taskQueue, signal }).catch(() => {
              signal.throwIfAborted();
              return [];
            });
      if (kinds.every((kind) => mine.includes(kind) && known.includes(kind))) return;
      if (pollers !== undefined && limit.signal.aborted) return;
      await sleep(50, { signal });
    }
  }
}

/** Names the process, and the code that it runs: two workers of a queue that differ in it are seen by that. */
function identityOf(given: string | undefined, bundle: Bundle | undefined): string {
  const process_ = given ?? `${process.pid}@${hostname()}`;
  return [process_, randomBytes(4).toString('hex'), ...(bundle === undefined ? [] : [`code-${bundle.hash}`])].join(' ');
}

function optionsOf(
  channel: Channel,
  settings: WorkerSettings,
  bundle: Bundle | undefined,
  lease: Lease | undefined,
): WorkerOptions {
  const { namespace, tracing } = channel.settings;
  const { taskQueue, activities, concurrency, cachedWorkflows, drain, version } = settings;
  return {
    namespace,
    taskQueue,
    activities,
    dataConverter: dataConverter(channel.settings, 'worker'),
    interceptors: { activity: [activityInterceptor(lease, tracing)] },
    maxConcurrentActivityTaskExecutions: concurrency,
    stickyQueueScheduleToStartTimeout: keptFor,
    shutdownGraceTime: drain,
    // What does not listen to its signal is left behind.
    shutdownForceTime: drain + 10_000,
    ...(bundle !== undefined && { workflowBundle: { code: bundle.code } }),
    ...(tracing?.ended !== undefined && { sinks: runSinks(tracing.ended.bind(tracing)) }),
    ...(cachedWorkflows !== undefined && { maxCachedWorkflows: cachedWorkflows }),
    ...(version !== undefined && {
      workerDeploymentOptions: {
        version: { deploymentName: version.deployment, buildId: version.build },
        useWorkerVersioning: true,
        defaultVersioningBehavior: version.behavior === 'pinned' ? 'PINNED' : 'AUTO_UPGRADE',
      },
    }),
  };
}
