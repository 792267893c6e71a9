import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from '../eventually.ts';
import { groupsUnder, isGroupAlive } from './groups.ts';
import type { Warden } from './warden.ts';

/** A launched process and all below it: its own group, and the groups that its children have made for themselves. */
export class ProcessTree {
  readonly pid: number;
  readonly #root: ChildProcess;
  readonly #warden: Warden;
  /** Groups of its children's own that stand still. */
  #still: readonly number[] = [];

  constructor(root: ChildProcess, warden: Warden) {
    this.pid = root.pid as number;
    this.#root = root;
    this.#warden = warden;
    // Children that have outlived it would hold its ports.
    root.once('exit', () => send(this.pid, 'SIGKILL'));
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
    const gone = once(this.#root, 'exit');
    const others = groupsUnder(this.pid);
    send(this.pid, signal);
    if (signal === 'SIGKILL') await gone;
    else {
      // Who stands still would not see the signal.
      this.go();
      const patience = setTimeout(() => send(this.pid, 'SIGKILL'), grace);
      await gone;
      clearTimeout(patience);
    }
    await endGroups(others);
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
  for (const group of groups) {
    // Where nobody buries the dead they look alive for ever.
    await eventually('it is gone', () => !isGroupAlive(group), { within: 2_000, every: 5 }).catch(() => {});
  }
}

function send(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
