import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { deadline } from '@quorate/core';
import { eventually } from '../eventually.ts';
import { DutyCycle, type Slowness } from './duty-cycle.ts';
import { groupsUnder, hasLiving, isGroupAlive } from './groups.ts';
import type { Warden } from './warden.ts';

/** How often those who finish are looked at, in milliseconds. */
const lookEvery = 20;

/** A launched process and all below it: its own group, and the groups that its children have made for themselves. */
export class ProcessTree {
  readonly pid: number;
  /** Resolves when it has ended, and whoever stood still with it. */
  readonly ended: Promise<void>;
  readonly #root: ChildProcess;
  readonly #warden: Warden;
  /** Groups of its children's own that stand still. */
  #still: readonly number[] = [];
  /** It has been asked to end: those who outlive its root may finish. */
  #mayFinish = false;
  #cycle: DutyCycle | undefined;

  constructor(root: ChildProcess, warden: Warden) {
    this.pid = root.pid as number;
    this.#root = root;
    this.#warden = warden;
    const { promise: exit, resolve } = Promise.withResolvers<void>();
    root.once('exit', () => {
      this.#endCycle();
      resolve();
    });
    this.ended = exit.then(() => this.#bury());
    // Whoever waits for it is told.
    this.ended.catch(() => {});
  }

  /** Whether it runs for a part of the time only. */
  get isSlow(): boolean {
    return this.#cycle !== undefined;
  }

  /** All of it stands still, until `go`. */
  halt(): void {
    this.#endCycle();
    this.#stand();
  }

  /** It runs for a part of each period only, until `go` or `halt`. */
  slow(slowness: Slowness): void {
    const cycle = new DutyCycle(slowness, (runs) => (runs ? this.#walk() : this.#stand()));
    this.#endCycle();
    this.#cycle = cycle;
  }

  go(): void {
    this.#endCycle();
    this.#walk();
  }

  /**
   * Resolves when nothing of it is left: killed, where it has not ended within `grace` milliseconds of `signal`, or
   * before `hurry` aborts.
   */
  async end(signal: NodeJS.Signals, grace: number, hurry?: AbortSignal): Promise<void> {
    this.#root.ref();
    const others = groupsUnder(this.pid);
    this.#endCycle();
    using patience = deadline(grace, hurry);
    if (signal === 'SIGKILL' || patience.signal.aborted) this.#cut();
    else {
      this.#mayFinish = true;
      send(this.pid, signal);
      // Who stands still would not see the signal.
      this.#walk();
      patience.signal.addEventListener('abort', () => this.#cut(), { once: true });
    }
    await this.ended;
    await endGroups(others);
  }

  #stand(): void {
    // Its own group first: who stands still makes no further groups.
    send(this.pid, 'SIGSTOP');
    this.#still = groupsUnder(this.pid);
    for (const group of this.#still) {
      // Who stands still does not notice that its parent has died.
      this.#warden.list(group);
      send(group, 'SIGSTOP');
    }
  }

  #walk(): void {
    for (const group of this.#still) send(group, 'SIGCONT');
    this.#forgetStill();
    send(this.pid, 'SIGCONT');
  }

  #endCycle(): void {
    this.#cycle?.end();
    this.#cycle = undefined;
  }

  /** Its own group is killed, whatever it was about to finish. */
  #cut(): void {
    this.#mayFinish = false;
    // After its root whoever is left is buried: then its number may be somebody else's.
    if (this.#root.exitCode === null && this.#root.signalCode === null) send(this.pid, 'SIGKILL');
  }

  /** After the end of its root, such as a shell around the server. */
  async #bury(): Promise<void> {
    while (this.#mayFinish && hasLiving(this.pid)) await sleep(lookEvery);
    // Children that have outlived it would hold its ports.
    send(this.pid, 'SIGKILL');
    await gone(() => !hasLiving(this.pid));
    await endGroups(this.#still);
    this.#forgetStill();
  }

  #forgetStill(): void {
    for (const group of this.#still) this.#warden.unlist(group);
    this.#still = [];
  }
}

/** Resolves when they are gone: they may hold what the next start needs. */
async function endGroups(groups: readonly number[]): Promise<void> {
  for (const group of groups) if (isGroupAlive(group)) send(group, 'SIGKILL');
  for (const group of groups) await gone(() => !isGroupAlive(group));
}

/** Where nobody buries the dead some look alive for ever. */
async function gone(isGone: () => boolean): Promise<void> {
  await eventually('it is gone', isGone, { within: 2_000, every: 5 }).catch(() => {});
}

function send(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
