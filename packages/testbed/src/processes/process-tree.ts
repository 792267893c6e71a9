import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../eventually.ts';
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
  /** Nothing is left: its number may be somebody else's. */
  #over = false;

  constructor(root: ChildProcess, warden: Warden) {
    this.pid = root.pid as number;
    this.#root = root;
    this.#warden = warden;
    const { promise: exit, resolve } = Promise.withResolvers<void>();
    root.once('exit', () => resolve());
    this.ended = exit.then(() => this.#bury());
    // Whoever waits for it is told.
    this.ended.catch(() => {});
  }

  /** All of it stands still, until `go`. */
  halt(): void {
    // Its own group first: who stands still makes no further groups.
    send(this.pid, 'SIGSTOP');
    this.#still = groupsUnder(this.pid);
    for (const group of this.#still) {
      // Who stands still does not notice that its parent has died.
      this.#warden.list(group);
      send(group, 'SIGSTOP');
    }
  }

  go(): void {
    for (const group of this.#still) send(group, 'SIGCONT');
    this.#forgetStill();
    send(this.pid, 'SIGCONT');
  }

  /** Resolves when nothing of it is left: killed, where it has not ended within `grace` milliseconds of `signal`. */
  async end(signal: NodeJS.Signals, grace: number): Promise<void> {
    this.#root.ref();
    const others = groupsUnder(this.pid);
    if (signal === 'SIGKILL') this.cut();
    else {
      this.#mayFinish = true;
      send(this.pid, signal);
      // Who stands still would not see the signal.
      this.go();
    }
    const patience = setTimeout(() => this.cut(), grace);
    await this.ended;
    clearTimeout(patience);
    await endGroups(others);
  }

  /** Its own group is killed, whatever it was about to finish. */
  cut(): void {
    this.#mayFinish = false;
    if (!this.#over) send(this.pid, 'SIGKILL');
  }

  /** After the end of its root, such as a shell around the server. */
  async #bury(): Promise<void> {
    while (this.#mayFinish && hasLiving(this.pid)) await sleep(lookEvery);
    // Children that have outlived it would hold its ports.
    send(this.pid, 'SIGKILL');
    this.#over = true;
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
