import type { HistoryEvent } from './event.ts';
import type { Operation } from './operation.ts';

/** How much happened, for the last lines of a run. */
export interface HistoryCounts {
  readonly operations: number;
  readonly ok: number;
  readonly failed: number;
  readonly ambiguous: number;
  /** Never completed. */
  readonly pending: number;
  /** By kind. */
  readonly faults: Readonly<Record<string, number>>;
  readonly holdings: number;
}

export function countsOf(events: readonly HistoryEvent[], operations: readonly Operation[]): HistoryCounts {
  const outcomes = { ok: 0, failed: 0, ambiguous: 0, pending: 0 };
  for (const { outcome } of operations) outcomes[outcome] += 1;
  const faults = new Map<string, number>();
  let holdings = 0;
  for (const event of events) {
    if (event.type === 'fault') faults.set(event.kind, (faults.get(event.kind) ?? 0) + 1);
    if (event.type === 'held') holdings += 1;
  }
  return { operations: operations.length, ...outcomes, faults: Object.fromEntries(faults), holdings };
}
