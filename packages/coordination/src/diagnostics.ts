import { type Channel, channel, type TracingChannel, tracingChannel } from 'node:diagnostics_channel';
import type { LeaseEnd } from './errors/lease-ended-error.ts';

/** Traced on `quorate.coordination.acquire`: from asking for a lease to having it. */
export interface TracedAcquire {
  readonly path: string;
  readonly what: string;
}

/** Published on `quorate.coordination.lease.end`, when a lease is let go of, with why it ended first. */
export interface EndOfLease {
  readonly path: string;
  readonly token: bigint;
  readonly reason: LeaseEnd;
}

export const acquires: TracingChannel<TracedAcquire, TracedAcquire> = tracingChannel<TracedAcquire, TracedAcquire>(
  'quorate.coordination.acquire',
);
export const leaseEnds: Channel<unknown, EndOfLease> = channel('quorate.coordination.lease.end');
