import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  backoff,
  type Component,
  deadline,
  type Health,
  InvalidArgumentError,
  QuorateError,
  sleep,
} from '@quorate/core';
import { type SidecarEvent, sidecarEvents } from '../diagnostics.ts';
import { SidecarFailedError } from '../errors/sidecar-failed-error.ts';
import { drained } from './drained.ts';
import { EnvoyAdmin } from './envoy-admin.ts';
import { EnvoyProcess } from './envoy-process.ts';
import type { SidecarPlan } from './sidecar-plan.ts';

export type SidecarState = 'starting' | 'ready' | 'restarting' | 'draining' | 'stopped';

/** So many of the last lines that Envoy logged are kept, for errors. */
const keptLines = 50;

/** An Envoy that is kept running beside an instance, until it is stopped. It does not outlive this process. */
export class Sidecar implements Component, AsyncDisposable {
  readonly proxyId: string;
  readonly #prepare: (signal: AbortSignal) => Promise<SidecarPlan>;
  readonly #log: string[] = [];
  #plan: SidecarPlan | undefined;
  #stopping = new AbortController();
  #folder = '';
  #state: SidecarState = 'stopped';
  #process: EnvoyProcess | undefined;
  #admin: EnvoyAdmin | undefined;
  #restarts = 0;
  #running: Promise<void> | undefined;
  /** Whether nothing was left to wait for: `stop` need not wait again. */
  #drained = false;
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  /** `prepare` reads what the agent knows of the proxy when it starts. */
  constructor(proxyId: string, prepare: (signal: AbortSignal) => Promise<SidecarPlan>) {
    this.proxyId = proxyId;
    this.#prepare = prepare;
  }

  /** Its proxy's id, as a component of a service. */
  get name(): string {
    return this.proxyId;
  }

  /** The service that it stands for, once it has been started. */
  get service(): string {
    return this.#plan?.service ?? '';
  }

  /** The services that it leads to, once it has been started. */
  get upstreams(): readonly string[] {
    return this.#plan?.upstreams ?? [];
  }

  /**
   * Resolves when Envoy has its configuration and serves. When it rejects, no process and no file is left. May be called again
   * after a `stop`.
   */
  start(signal?: AbortSignal): Promise<void> {
    if (this.#stopped) return this.#stopped.then(() => this.start(signal));
    this.#started ??= this.#start(signal).catch((error) => {
      this.#started = undefined;
      throw error;
    });
    return this.#started;
  }

  /** Whether Envoy serves. Each call has it asked anew: what is said is what it answered, or did not, before this call. */
  health(): Health {
    if (this.#state === 'ready' && this.#admin?.answers === false) {
      return { status: 'fail', detail: `${this.proxyId} does not answer` };
    }
    if (this.#state === 'ready') return { status: 'pass', detail: `${this.proxyId} is ready` };
    return { status: this.#state === 'draining' ? 'warn' : 'fail', detail: `${this.proxyId} is ${this.#state}` };
  }

  get state(): SidecarState {
    return this.#state;
  }

  /** How often Envoy had to be started again. */
  get restarts(): number {
    return this.#restarts;
  }

  /** The Unix socket where Envoy is administered, in a folder that only its owner can enter. Another one after a restart. */
  get adminSocket(): string | undefined {
    return this.#admin?.socket;
  }

  /** The last lines that Envoy logged. */
  get log(): readonly string[] {
    return [...this.#log];
  }

  /** The process id of Envoy as it runs now. */
  async pid(): Promise<number | undefined> {
    return this.#process?.pid;
  }

  /** Envoy's configuration as it is now, to see whether it changes; undefined while it cannot be asked. */
  async configuration(signal?: AbortSignal): Promise<string | undefined> {
    return this.#admin?.configuration(signal).catch(() => undefined);
  }

  /** Whether connections live on under a configuration that is no longer true. */
  async lingers(signal?: AbortSignal): Promise<boolean> {
    return (await this.#admin?.lingers(signal).catch(() => false)) ?? false;
  }

  /** Resolves when there is an instance of this upstream to send requests to: before, they would fail. */
  async reaches(service: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (!this.upstreams.includes(service)) {
      throw new InvalidArgumentError(
        'service',
        `an upstream: ${this.upstreams.join(', ') || 'there are none'}`,
        service,
      );
    }
    for (;;) {
      signal?.throwIfAborted();
      if (this.#state === 'stopped') throw new SidecarFailedError(this.proxyId, 'is stopped', this.log);
      if (await this.#admin?.endpoints(service, signal).catch(() => 0)) return;
      await sleep(50, { signal });
    }
  }

  /**
   * Connections are asked to end and requests are let through; resolves when none has come from others for a while, and none of
   * our own is under way, or when the drain time is over. Requests of our own by HTTP count at the moment when draining begins
   * and not those after it; connections of our own by TCP do not count: nobody can tell whether they are still needed. Take the
   * instance out of discovery first (`instance.maintenance`): others go on sending until they know.
   */
  async drain({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const admin = this.#admin;
    if (!admin || this.#state === 'stopped') return;
    this.#state = 'draining';
    this.#tell('draining');
    using limit = deadline(this.#plan?.drain ?? 0, signal);
    try {
      await drained(admin, limit.signal);
    } catch {
      // Envoy has ended, or the time is over: either way there is nothing more to wait for.
      signal?.throwIfAborted();
    }
    this.#drained = true;
  }

  /** Drains, then ends Envoy. Resolves when nothing of it is left. May be called twice. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop().finally(() => {
      this.#stopped = undefined;
    });
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #start(signal: AbortSignal | undefined): Promise<void> {
    this.#state = 'starting';
    this.#stopping = new AbortController();
    this.#restarts = 0;
    this.#log.length = 0;
    const { signal: stopping } = this.#stopping;
    const either = signal ? AbortSignal.any([signal, stopping]) : stopping;
    try {
      this.#plan = await this.#prepare(either);
      await this.#run(this.#plan, either);
    } catch (error) {
      await this.#end();
      throw error;
    }
    this.#running = this.#keepRunning().catch(() => undefined);
  }

  async #run(plan: SidecarPlan, signal: AbortSignal): Promise<void> {
    using limit = deadline(plan.startWithin, signal);
    try {
      await this.#launch(plan);
      await this.#becomeReady(limit.signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof SidecarFailedError) throw error;
      throw new SidecarFailedError(this.proxyId, `was not ready within ${plan.startWithin} ms`, this.log);
    }
  }

  async #stop(): Promise<void> {
    // A start that hangs is ended.
    if (this.#state === 'starting') {
      const what = `${this.proxyId} was stopped before it had started`;
      this.#stopping.abort(new QuorateError(what, { code: 'stopped', happened: 'no' }));
    }
    await this.#started?.catch(() => undefined);
    if (this.#started === undefined) return;
    // Also when somebody else drains, or has given up to.
    if (!this.#drained) await this.drain();
    this.#stopping.abort();
    await this.#process?.stop();
    // It may be starting another one just now.
    await this.#running;
    await this.#end();
    this.#started = undefined;
    this.#tell('stopped');
  }

  async #launch({ program, bootstrap, token, concurrency, logLevel, grace }: SidecarPlan): Promise<void> {
    this.#tell('starting');
    this.#admin = undefined;
    this.#folder = await mkdtemp(join(tmpdir(), 'quorate-sidecar-'));
    const content = JSON.stringify(bootstrap(join(this.#folder, 'admin')));
    await writeFile(join(this.#folder, 'bootstrap.json'), content, { mode: 0o600 });
    this.#process = await EnvoyProcess.start({
      program,
      folder: this.#folder,
      concurrency,
      logLevel,
      graceSeconds: Math.ceil(grace / 1_000),
      token,
      logged: (line) => {
        this.#log.push(line);
        if (this.#log.length > keptLines) this.#log.shift();
        this.#tell('log', line);
      },
    });
  }

  async #becomeReady(signal: AbortSignal): Promise<void> {
    const envoy = this.#process as EnvoyProcess;
    const admin = new EnvoyAdmin(join(this.#folder, 'admin'));
    for (;;) {
      if (envoy.over) throw new SidecarFailedError(this.proxyId, await envoy.ended, this.log);
      if (await admin.ready(signal).catch(() => false)) {
        this.#admin = admin;
        this.#drained = false;
        this.#state = 'ready';
        this.#tell('ready');
        return;
      }
      await sleep(25, { signal, background: this.#restarts > 0 });
    }
  }

  /** Starts it again each time it dies. */
  async #keepRunning(): Promise<void> {
    const { signal } = this.#stopping;
    const delays = backoff({ min: 100, max: 10_000 });
    for (;;) {
      const begun = performance.now();
      await this.#process?.ended;
      signal.throwIfAborted();
      this.#state = 'restarting';
      this.#admin = undefined;
      this.#tell('died');
      // One that ran for a while did not die of its beginning.
      if (performance.now() - begun > 30_000) delays.reset();
      await sleep(delays.next(), { signal, background: true });
      await rm(this.#folder, { recursive: true, force: true });
      this.#restarts += 1;
      try {
        await this.#launch(this.#plan as SidecarPlan);
        await this.#becomeReady(signal);
      } catch {
        // The next round sees that it has ended. One that cannot be launched at all is tried again as well.
        signal.throwIfAborted();
      }
    }
  }

  async #end(): Promise<void> {
    await this.#process?.stop();
    await rm(this.#folder, { recursive: true, force: true });
    this.#admin = undefined;
    this.#state = 'stopped';
  }

  #tell(event: SidecarEvent['event'], line?: string): void {
    sidecarEvents.publish({ proxyId: this.proxyId, event, ...(line !== undefined && { line }) });
  }
}
