import type { Driver, DriverName } from '../../src/driver/driver.ts';
import { kafkajsDriver, platformaticDriver } from '../../src/driver/drivers.ts';
import type { ConnectionSettings } from '../../src/driver/settings.ts';

export type OpenDriver = (settings: ConnectionSettings) => Promise<Driver>;

export const openBy: Readonly<Record<DriverName, OpenDriver>> = {
  kafkajs: kafkajsDriver,
  platformatic: platformaticDriver,
};

export const names: readonly DriverName[] = ['kafkajs', 'platformatic'];

/** All that promise the same. */
export const drivers: readonly (readonly [DriverName, OpenDriver])[] = names.map((name) => [name, openBy[name]]);
