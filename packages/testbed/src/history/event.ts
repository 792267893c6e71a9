import type { Plain } from './plain.ts';

/** Something a process asked for. It may take effect from now on. */
interface Invoked {
  readonly type: 'invoked';
  readonly at: number;
  readonly id: number;
  readonly process: string;
  readonly op: string;
  readonly input: Plain;
}

/** How it ended: it happened, it certainly did not, or nobody can say. */
interface Completed {
  readonly type: 'ok' | 'failed' | 'ambiguous';
  readonly at: number;
  readonly id: number;
  readonly output?: Plain;
  readonly error?: string;
}

interface FaultBegun {
  readonly type: 'fault';
  readonly at: number;
  readonly id: number;
  readonly kind: string;
  /** What it breaks: names of processes. */
  readonly target: readonly string[];
  readonly detail?: Plain;
}

interface FaultEnded {
  readonly type: 'healed';
  readonly at: number;
  readonly id: number;
}

/** The process takes itself for the holder, from now on. */
interface Held {
  readonly type: 'held';
  readonly at: number;
  readonly process: string;
  readonly lease: string;
  readonly token: bigint;
}

/** The process no longer takes itself for the holder. */
interface Released {
  readonly type: 'released';
  readonly at: number;
  readonly process: string;
  readonly lease: string;
  readonly token: bigint;
  readonly reason?: string;
}

interface Sent {
  readonly type: 'sent';
  readonly at: number;
  readonly message: string;
  readonly from: string;
  readonly to: string;
  readonly label?: string;
}

interface Received {
  readonly type: 'received';
  readonly at: number;
  readonly message: string;
}

/** Anything a reader will want beside the rest: the seed, the schedule of faults. */
interface Note {
  readonly type: 'note';
  readonly at: number;
  readonly label: string;
  readonly detail?: Plain;
}

/** One thing that happened. `at` is in milliseconds of a monotonic clock; only differences mean anything. */
export type HistoryEvent = Invoked | Completed | FaultBegun | FaultEnded | Held | Released | Sent | Received | Note;
