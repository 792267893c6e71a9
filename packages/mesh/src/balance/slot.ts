import type { ServiceInstance } from '../discovery/service-instance.ts';

/** What is known of an instance by having sent requests to it. */
export interface Slot {
  instance: ServiceInstance;
  /** Requests on their way. */
  inFlight: number;
  /** Failures in a row. */
  failures: number;
  /** How often it has been ejected lately. */
  ejections: number;
  /** By the monotonic clock. */
  ejectedUntil: number;
  /** Requests that nobody waited for until the end, since it last did well: it may still be busy with them. */
  abandoned: number;
  /** Until then they count, by the monotonic clock. */
  abandonedUntil: number;
  /** What it is owed, in the weighted order. */
  credit: number;
}

export function newSlot(instance: ServiceInstance): Slot {
  return {
    instance,
    inFlight: 0,
    failures: 0,
    ejections: 0,
    ejectedUntil: -Infinity,
    abandoned: 0,
    abandonedUntil: -Infinity,
    credit: 0,
  };
}
