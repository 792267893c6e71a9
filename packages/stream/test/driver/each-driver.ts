import { describe } from 'vitest';
import type { DriverName } from '../../src/driver/driver.ts';
import type { Drivers, OpenDriver } from './drivers.ts';

/** The drivers side by side, because most of the time they wait; the tests of each in turn. */
export function eachDriver(which: Drivers, does: string, tests: (name: DriverName, open: OpenDriver) => void): void {
  describe.concurrent.each(which)('the %s driver', (name, open) => {
    describe(does, { concurrent: false }, () => tests(name, open));
  });
}
