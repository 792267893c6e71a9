import { mkdir, open, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Health } from '@quorate/core';
import { deadline, InvalidArgumentError, QuorateError } from '@quorate/core';
import { eventually } from '../eventually.ts';
import { endCarriers } from './carriers.ts';
import { Disk } from './disk.ts';
import type { Slowness } from './duty-cycle.ts';
import { isStill } from './groups.ts';
import { lastLines, textFrom } from './log.ts';
import { becomesFree, PortTakenError } from './ports.ts';
import { ProcessTree } from './process-tree.ts';
import { ask, becomeReady, longestLook } from './readiness.ts';
import { Recall } from './recall.ts';
import { removeTree } from './remove-tree.ts';
import { residentBytes } from './resident.ts';
import { type ServerPlan, temporaryFolder } from './server-plan.ts';
import { Turns } from './turns.ts';
import type { Launcher, Warden } from './warden.ts';

/** What a server needs of its bed. */
export interface Ground {
  readonly warden: Warden;
  /** Megabytes of the disk that each server gets for itself; without it all use the machine's. */
  readonly disk?: number;
}

export type ServerState = 'new' | 'starting' | 'running' | 'paused' | 'stopped' | 'killed' | 'died';

/** One real server process: start it, break it, bring it back. */
export class Server implements AsyncDisposable {
  readonly name: string;
  /** Where clients reach it: `127.0.0.1:2181`. */
  readonly address: string;
  readonly #plan: ServerPlan;
  readonly #ground: Ground;
  /** Its folder as it sees it itself. */
  readonly #home: string;
  #state: ServerState = 'new';
  #tree: ProcessTree | undefined;
  /** The one before: what is left of it when its root has ended. */
  #ending: ProcessTree | undefined;
  /** What starts, ends, pauses and slows it waits for what was asked for before. */
  readonly #turns = new Turns();
  /** Of the starts, when it is killed or stopped. */
  readonly #starts = new Recall();
  /** Of the patience of the stops, when it is killed. */
  readonly #stops = new Recall();
  /** How many pauses and slownesses wait for their turn. */
  #brakes = 0;
  #prepared = false;
  #disk: Disk | undefined;
  /** How long its log was when it was last started. */
  #logBegin = 0;

  constructor(plan: ServerPlan, ground: Ground) {
    this.name = plan.name;
    this.address = plan.address;
    this.#plan = plan;
    this.#ground = ground;
    this.#home = join(ground.warden.folder, plan.name);
  }

  /** Its data and config. */
  get folder(): string {
    return this.#disk?.folder ?? this.#home;
  }

  get state(): ServerState {
    return this.#state;
  }

  /** Whether it has been slowed down. */
  get isSlow(): boolean {
    return this.#tree?.isSlow ?? false;
  }

  /** The process id while there is a process. */
  get pid(): number | undefined {
    return this.#tree?.pid;
  }

  /** Beside its folder, where whatever it has may have any name; no server's name begins like this. */
  get logFile(): string {
    return join(this.#ground.warden.folder, `_${this.name}.log`);
  }

  /**
   * Resolves when the server answers by its own protocol. When it fails, or `kill` or `stop` is called before it is
   * ready, it rejects, and no process of it is left.
   */
  async start(signal?: AbortSignal): Promise<void> {
    await this.#untilEnded(signal, (either) => this.#start(either));
  }

  /** Its disk is full: whatever it writes fails with ENOSPC, until `freeDisk`. For a bed that was started with `disk`. */
  async fillDisk(): Promise<void> {
    await this.#ownDisk().fill();
  }

  /** There is room again. A server that gave up when its disk was full takes a `restart` to come back. */
  async freeDisk(): Promise<void> {
    await this.#ownDisk().free();
  }

  /** Whether it has a disk of its own, which can be full. */
  get hasDisk(): boolean {
    return this.#ground.disk !== undefined;
  }

  get isDiskFull(): boolean {
    return this.#disk?.full ?? false;
  }

  /** SIGKILL: no goodbye. Resolves when the process is gone. Data and ports stay for `restart`. */
  async kill(): Promise<void> {
    this.#hurry();
    await this.#turns.take(() => this.#kill());
  }

  /**
   * SIGSTOP: it stands still while its connections stay open, as in a long garbage collection. Resolves when it does. A
   * server that is starting is paused once it is ready.
   */
  async pause(): Promise<void> {
    const tree = await this.#brake((running) => {
      running.halt();
      this.#state = 'paused';
      return running;
    });
    // Until it is resumed or killed, should that come first.
    await eventually(`${this.name} stands still`, () => this.#state !== 'paused' || isStill(tree.pid), { every: 1 });
  }

  /**
   * Makes it as slow as on a busy machine: it stands still for part of each period until `resume`. `duty` is the share
   * of the time that it runs, `period` is in milliseconds. A server that is starting is slowed once it is ready.
   */
  async slow(slowness: Slowness): Promise<void> {
    await this.#brake((running) => {
      running.slow(slowness);
      this.#state = 'running';
    });
  }

  /** Ends a pause or a slowness. */
  async resume(): Promise<void> {
    const ran = this.#tree !== undefined;
    await this.#turns.take(async () => {
      // Who was asked to end before has no pause any more.
      if (!ran) this.#running();
      this.#go();
    });
  }

  /**
   * Neither paused nor slow, nor its disk full, whatever of that was asked for before. It does not wait for a start alone,
   * which may need others that are still to be healed.
   */
  async heal(): Promise<void> {
    if (this.#state === 'paused' || this.isSlow || this.#brakes > 0) await this.#turns.take(async () => this.#go());
    await this.#disk?.free();
  }

  /** Starts again with the same data on the same ports, after a stop when it still runs. Resolves when it is ready. */
  async restart(signal?: AbortSignal): Promise<void> {
    const hurry = this.#stops.signal;
    await this.#untilEnded(signal, async (either) => {
      await this.#stop(hurry);
      await this.#start(either);
    });
  }

  /** SIGTERM, then SIGKILL when it has not ended within `grace` milliseconds. Resolves when the process is gone. */
  async stop({ grace }: { readonly grace?: number } = {}): Promise<void> {
    if (grace !== undefined && !(grace >= 0))
      throw new InvalidArgumentError('grace', 'a number of milliseconds, 0 or more', grace);
    this.#callOffStarts('stopped');
    const hurry = this.#stops.signal;
    await this.#turns.take(() => this.#stop(hurry, grace));
  }

  /** The last lines it logged. */
  log(lines?: number): Promise<string[]> {
    return lastLines(this.logFile, lines);
  }

  /** What it has logged since it was last started. */
  logged(): Promise<string> {
    return textFrom(this.logFile, this.#logBegin);
  }

  /** Ends it, and nothing of it is left in the bed's folder. */
  async remove(): Promise<void> {
    this.#hurry();
    await this.#turns.take(async () => {
      await this.#kill();
      await this.#disk?.close();
      this.#disk = undefined;
      this.#prepared = false;
      for (const path of [this.#home, this.logFile]) await removeTree(path);
    });
  }

  /** Asks the server itself. */
  async health(): Promise<Health> {
    if (this.#state !== 'running') return { status: 'fail', detail: this.#state };
    using limit = deadline(longestLook);
    try {
      return (await ask(this.#plan.ready, limit.signal)) ? { status: 'pass' } : { status: 'fail', detail: 'not ready' };
    } catch (error) {
      return { status: 'fail', detail: (error as Error).message };
    }
  }

  /** Bytes of memory its processes hold now. */
  async resident(): Promise<number> {
    return this.pid === undefined ? 0 : residentBytes(this.pid);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Takes a turn that `kill` and `stop` put an end to. */
  async #untilEnded(signal: AbortSignal | undefined, action: (either: AbortSignal) => Promise<void>): Promise<void> {
    const either = signal ? AbortSignal.any([signal, this.#starts.signal]) : this.#starts.signal;
    await this.#turns.take(async () => {
      either.throwIfAborted();
      await action(either);
    });
  }

  #hurry(): void {
    this.#callOffStarts('killed');
    this.#stops.callOff();
  }

  #callOffStarts(how: 'killed' | 'stopped'): void {
    const reason = new QuorateError(`${this.name} was ${how} while it was starting`, { code: 'start-aborted' });
    this.#starts.callOff(reason);
  }

  async #start(signal: AbortSignal): Promise<void> {
    if (this.#tree) throw new QuorateError(`${this.name} is already running`, { code: 'already-running' });
    const { startWithin = 60_000, ports } = this.#plan;
    using limit = deadline(startWithin, signal);
    this.#ground.warden.ensureOpen();
    this.#state = 'starting';
    try {
      await this.#untilGone();
      if (!this.#prepared) await this.#prepare(limit.signal);
      for (const port of ports) if (!(await becomesFree(port))) throw new PortTakenError(this.name, port);
      signal.throwIfAborted();
      await this.#launch();
      await becomeReady(this.#plan, {
        within: startWithin,
        isAlive: () => this.#tree !== undefined,
        log: () => this.log(),
        signal,
      });
      this.#state = 'running';
    } catch (error) {
      await this.#end('SIGKILL');
      this.#state = 'died';
      throw error;
    }
  }

  get #temporary(): string {
    return this.#plan.temporary ?? temporaryFolder;
  }

  /** In the environment of it and of whoever it starts: no other server has this folder. */
  get #mark(): Readonly<Record<string, string>> {
    return { QUORATE_SERVER_FOLDER: this.#home };
  }

  async #kill(): Promise<void> {
    await this.#end('SIGKILL');
    this.#state = 'killed';
  }

  async #stop(hurry: AbortSignal, grace = 10_000): Promise<void> {
    await this.#end(this.#plan.stopSignal ?? 'SIGTERM', grace, hurry);
    this.#state = 'stopped';
  }

  async #prepare(signal: AbortSignal): Promise<void> {
    const { files = {}, prepare } = this.#plan;
    const { warden, disk } = this.#ground;
    await mkdir(this.#home, { recursive: true, mode: 0o700 });
    if (disk !== undefined) this.#disk ??= await Disk.over(this.#home, disk, this.name, warden);
    await mkdir(join(this.folder, this.#temporary), { recursive: true });
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(this.folder, path)), { recursive: true });
      // There are passwords among them.
      await writeFile(join(this.folder, path), content, { mode: 0o600 });
    }
    await prepare?.(this.#home, this.#launcher, signal);
    this.#prepared = true;
  }

  async #launch(): Promise<void> {
    await using log = await open(this.logFile, 'a', 0o600);
    this.#logBegin = (await log.stat()).size;
    const { command, args, env, cwd = this.#home } = this.#plan;
    const child = await this.#launcher.launch({
      command,
      args,
      cwd,
      // What it leaves there goes with the bed.
      env: { TMPDIR: join(this.#home, this.#temporary), ...env, ...this.#mark },
      output: log.fd,
    });
    child.unref();
    const tree = new ProcessTree(child, this.#ground.warden);
    this.#tree = tree;
    this.#ending = undefined;
    child.once('exit', () => {
      this.#tree = undefined;
      this.#ending = tree;
      if (this.#state === 'running' || this.#state === 'paused') this.#state = 'died';
    });
  }

  get #launcher(): Launcher {
    return this.#disk ?? this.#ground.warden;
  }

  #ownDisk(): Disk {
    if (this.#disk) return this.#disk;
    throw new QuorateError(`${this.name} has no disk of its own: start the bed with { disk: <megabytes> }`, {
      code: 'no-disk',
    });
  }

  /** Slows down what runs when its turn comes. */
  async #brake<T>(action: (running: ProcessTree) => T): Promise<T> {
    this.#brakes += 1;
    return await this.#turns.take(async () => {
      this.#brakes -= 1;
      return action(this.#running());
    });
  }

  #go(): void {
    if (!this.#tree) return;
    this.#tree.go();
    this.#state = 'running';
  }

  /** What runs, or an error that says why nothing does. */
  #running(): ProcessTree {
    if (this.#tree) return this.#tree;
    throw new QuorateError(`${this.name} is not running: it is ${this.#state}`, { code: 'not-running' });
  }

  async #end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL', grace = 0, hurry?: AbortSignal): Promise<void> {
    if (!this.#tree) return this.#untilGone();
    // What is left behind on purpose must not look like a death.
    this.#state = 'stopped';
    this.#ending = this.#tree;
    await this.#tree.end(signal, grace, hurry);
    await this.#untilGone();
  }

  /** Nothing is left of what was launched: of its tree, nor of who has gone out of that, as daemons do. */
  async #untilGone(): Promise<void> {
    // It was never launched, or is gone.
    if (!this.#ending) return;
    await this.#ending.ended;
    // Who cannot be ended now is left to the warden.
    await endCarriers(this.#mark).catch(() => {});
  }
}
