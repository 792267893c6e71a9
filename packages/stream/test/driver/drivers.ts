import type { Driver, DriverName } from '../../src/driver/driver.ts';
import { kafkajsDriver, platformaticDriver } from '../../src/driver/drivers.ts';
import type { ConnectionSettings } from '../../src/driver/settings.ts';

export type OpenDriver = (settings: ConnectionSettings) => Promise<Driver>;

/** All that promise the same. */
export const drivers: readonly (readonly [DriverName, OpenDriver])[] = [
  ['kafkajs', kafkajsDriver],
  ['platformatic', platformaticDriver],
];

/** Each has links of its own. */
export const names: readonly DriverName[] = drivers.map(([name]) => name);
