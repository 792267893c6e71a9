import { aborted, backoff, type Component, type Health, InvalidArgumentError, sleep } from '@quorate/core';
import type { Channel } from '../connection/channel.ts';
import { workers } from '../diagnostics.ts';
import type { WorkerFailedError } from '../errors/worker-failed-error.ts';
import { WorkflowsClosedError } from '../errors/workflows-closed-error.ts';
import type { Lease } from './activity-interceptor.ts';
import { type Bundle, bundle, isForCodecs, readBundle } from './bundle.ts';
import { Term } from './term.ts';
import type { WorkerSettings } from './worker-options.ts';

/** How often it is looked whether the server still answers, and who else works at the queue: sooner after a start. */
const looks = { min: 1_000, max: 10_000, jitter: 0.2 };

/** Does workflows and activities of a queue, from `start` to `stop`. */
export class WorkflowWorker implements Component, AsyncDisposable {
  readonly name: string;
  readonly taskQueue: string;
  readonly #channel: Channel;
  readonly #settings: WorkerSettings;
  readonly #whenStopped: (worker: WorkflowWorker) => void;
  readonly #stopping = new AbortController();
  #started: Promise<void> | undefined;
  #leading: Promise<void> | undefined;
  #term: Term | undefined;
  #failure: WorkerFailedError | undefined;
  #trouble: string | undefined;
  #state: 'new' | 'standby' | 'polling' | 'stopped' = 'new';

  constructor(channel: Channel, settings: WorkerSettings, whenStopped: (worker: WorkflowWorker) => void) {
    this.name = settings.name;
    this.taskQueue = settings.taskQueue;
    this.#channel = channel;
    this.#settings = settings;
    this.#whenStopped = whenStopped;
  }

  /** Resolves when the server knows that it polls; with an election, when it stands for it. */
  async start(signal: AbortSignal): Promise<void> {
    this.#stopping.signal.throwIfAborted();
    this.#started ??= this.#start(signal);
    try {
      await this.#started;
    } catch (error) {
      this.#started = undefined;
      throw error;
    }
  }

  /** Takes nothing new, and waits for what is under way for as long as `drain`; the rest is told to stop, and goes to other workers. Idempotent. */
  async stop(): Promise<void> {
    if (!this.#stopping.signal.aborted) this.#stopping.abort(new WorkflowsClosedError());
    await this.#started?.catch(() => {});
    await this.#leading;
    await this.#term?.end();
    // It holds the code of all workflows, and what they remember.
    this.#term = undefined;
    this.#whenStopped(this);
    if (this.#state !== 'stopped') this.#tell('stopped');
    this.#state = 'stopped';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  health(): Health {
    if (this.#failure !== undefined) return { status: 'fail', detail: this.#failure.message };
    if (this.#state === 'new') return { status: 'fail', detail: 'it was not started' };
    if (this.#state === 'stopped') return { status: 'fail', detail: 'it was stopped' };
    if (this.#trouble !== undefined) return { status: 'warn', detail: this.#trouble };
    return { status: 'pass', detail: this.#state === 'polling' ? 'it polls' : 'standby: it does not lead' };
  }

  async #start(signal: AbortSignal): Promise<void> {
    const until = AbortSignal.any([signal, this.#stopping.signal]);
    const { election } = this.#settings;
    const code = await this.#bundle();
    until.throwIfAborted();
    if (election === undefined) {
      this.#watch(await this.#begin(code, { signal: until }));
      return;
    }
    // It is known before that the server is there.
    await this.#channel.connect(until);
    this.#state = 'standby';
    this.#leading = this.#lead(code).catch(() => {});
  }

  async #bundle(): Promise<Bundle | undefined> {
    const { workflowsPath, bundle: path, interceptors } = this.#settings;
    const codecs = this.#channel.settings.codecs.length > 0;
    if (workflowsPath !== undefined) return await bundle({ workflowsPath, interceptors, codecs });
    if (path === undefined) return undefined;
    const read = await readBundle(path);
    if (codecs && !isForCodecs(read))
      throw new InvalidArgumentError(
        'bundle',
        'one that was made with codecs: true; what errors say would go unencrypted',
        path,
      );
    return read;
  }

  async #begin(code: Bundle | undefined, how: { readonly lease?: Lease; readonly signal: AbortSignal }): Promise<Term> {
    const term = await Term.begin(this.#channel, this.#settings, code, how);
    this.#term = term;
    this.#failure = undefined;
    this.#state = 'polling';
    this.#tell('polling');
    return term;
  }

  /** Works while it leads, again and again. */
  async #lead(code: Bundle | undefined): Promise<void> {
    const { election } = this.#settings;
    const stopping = this.#stopping.signal;
    const pauses = backoff({ min: 100, max: 5_000 });
    while (!stopping.aborted) {
      try {
        await election?.lead((lease) => this.#reign(code, lease), { signal: stopping });
        pauses.reset();
      } catch (error) {
        if (stopping.aborted) return;
        this.#trouble = `it can not stand for election: ${error instanceof Error ? error.message : String(error)}`;
      }
      await pauses.wait({ signal: stopping });
    }
  }

  async #reign(code: Bundle | undefined, lease: Lease): Promise<void> {
    const over = AbortSignal.any([lease.signal, this.#stopping.signal]);
    this.#tell('leading');
    try {
      const term = await this.#begin(code, { lease, signal: over });
      this.#watch(term);
      await Promise.race([aborted(over), term.ended()]);
      await term.end();
    } finally {
      this.#term = undefined;
      if (this.#state === 'polling') this.#state = 'standby';
      this.#tell('standby');
    }
  }

  /** Notes what goes wrong with a term, until it ends. */
  #watch(term: Term): void {
    const over = new AbortController();
    void term.ended().then((failure) => {
      over.abort();
      this.#failure = failure;
      if (failure !== undefined) this.#tell('failed', failure.message);
    });
    void this.#look(term, over.signal).catch(() => {});
  }

  async #look(term: Term, signal: AbortSignal): Promise<void> {
    const mine = codeOf(term.identity);
    const pauses = backoff(looks);
    for (;;) {
      try {
        const others = (await term.pollers(signal)).filter(
          ({ identity }) => mine !== undefined && codeOf(identity) !== mine,
        );
        const other = others.find(({ kind, identity }) => kind === 'workflow' && codeOf(identity) !== undefined);
        this.#trouble =
          other === undefined || this.#settings.version !== undefined
            ? undefined
            : `"${other.identity}" runs other workflows on the same queue: a workflow that goes from one to the other can get stuck; use version, or stop the old ones`;
      } catch (error) {
        signal.throwIfAborted();
        this.#trouble = error instanceof Error ? error.message : String(error);
      }
      await sleep(pauses.next(), { signal, background: true });
    }
  }

  #tell(event: 'polling' | 'stopped' | 'failed' | 'leading' | 'standby', error?: string): void {
    workers.publish({ taskQueue: this.taskQueue, event, ...(error !== undefined && { error }) });
  }
}

function codeOf(identity: string): string | undefined {
  return / (code-[0-9a-f]{12})$/.exec(identity)?.[1];
}
