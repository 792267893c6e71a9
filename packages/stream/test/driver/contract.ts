import { bedTest } from '@quorate/testbed/vitest';
import type { DriverName } from '../../src/driver/driver.ts';
import { names } from './drivers.ts';

/** What a driver promises, in parts that are proven at the same time: most of the time they wait. */
const parts = ['append', 'group', 'partitions', 'transactions', 'doubts', 'sharing', 'leaving', 'faults'] as const;

type Part = (typeof parts)[number];

/** Each part has links of its own for each driver: what is cut for one is not cut for another. */
export function clientOf(part: Part, driver: DriverName): string {
  return `${part}-${driver}`;
}

/** All of them on one broker: to start one takes seconds. */
export const contractTest = bedTest({
  kafka: {
    clients: parts.flatMap((part) => names.map((name) => clientOf(part, name))),
    config: {
      'group.min.session.timeout.ms': 500,
      'log.cleaner.backoff.ms': 100,
      'transaction.abort.timed.out.transaction.cleanup.interval.ms': 300,
    },
  },
});
