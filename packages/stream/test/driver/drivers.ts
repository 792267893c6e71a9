import type { Driver, DriverName } from '../../src/driver/driver.ts';
import { kafkajsDriver } from '../../src/driver/kafkajs/kafkajs-driver.ts';
import { platformaticDriver } from '../../src/driver/platformatic/platformatic-driver.ts';
import type { ConnectionSettings } from '../../src/driver/settings.ts';

export type OpenDriver = (settings: ConnectionSettings) => Promise<Driver>;

/** All that promise the same. */
export const drivers: readonly (readonly [DriverName, OpenDriver])[] = [
  ['kafkajs', kafkajsDriver],
  ['platformatic', platformaticDriver],
];

/** Each has links of its own. */
export const names: readonly DriverName[] = drivers.map(([name]) => name);
