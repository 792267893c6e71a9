import { type Driver, type DriverName, usualDriver } from '../../src/driver/driver.ts';
import { kafkajsDriver, platformaticDriver } from '../../src/driver/drivers.ts';
import type { ConnectionSettings } from '../../src/driver/settings.ts';

export type OpenDriver = (settings: ConnectionSettings) => Promise<Driver>;

export const openBy: Readonly<Record<DriverName, OpenDriver>> = {
  kafkajs: kafkajsDriver,
  platformatic: platformaticDriver,
};

export const names: readonly DriverName[] = ['kafkajs', 'platformatic'];

export type Drivers = readonly (readonly [DriverName, OpenDriver])[];

/** All that promise the same. */
export const drivers: Drivers = names.map((name) => [name, openBy[name]]);

export const usual: Drivers = drivers.filter(([name]) => name === usualDriver);

export const others: Drivers = drivers.filter(([name]) => name !== usualDriver);
