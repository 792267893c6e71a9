import { InvalidArgumentError } from '@quorate/core';
import type { Driver, DriverName } from './driver.ts';
import { KafkaDriver } from './engine/kafka-driver.ts';
import type { ConnectionSettings } from './settings.ts';
import { kafkajsWires } from './wires/kafkajs.ts';
import { platformaticWires } from './wires/platformatic.ts';

/** Speaks to Kafka over connections of kafkajs, which the application has installed. Connects to nobody yet. */
export async function kafkajsDriver(settings: ConnectionSettings): Promise<Driver> {
  const { default: library } = await load('kafkajs', () => import('kafkajs'));
  return new KafkaDriver('kafkajs', kafkajsWires(library), settings);
}

/** The same over connections of @platformatic/kafka. */
export async function platformaticDriver(settings: ConnectionSettings): Promise<Driver> {
  const library = await load('@platformatic/kafka', () => import('@platformatic/kafka'));
  return new KafkaDriver('platformatic', platformaticWires(library), settings);
}

/** A library is loaded by who uses it: the other one need not be there. */
async function load<Library>(name: string, load: () => Promise<Library>): Promise<Library> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new InvalidArgumentError('driver', `a driver whose library is there: npm install ${name}`);
  }
}

export const drivers: Readonly<Record<DriverName, (settings: ConnectionSettings) => Promise<Driver>>> = {
  kafkajs: kafkajsDriver,
  platformatic: platformaticDriver,
};
