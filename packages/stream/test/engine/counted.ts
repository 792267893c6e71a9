import * as platformatic from '@platformatic/kafka';
import kafkajs from 'kafkajs';
import type { DriverName } from '../../src/driver/driver.ts';
import { KafkaDriver } from '../../src/driver/engine/kafka-driver.ts';
import type { WireMaker } from '../../src/driver/wire.ts';
import { kafkajsWires } from '../../src/driver/wires/kafkajs.ts';
import { platformaticWires } from '../../src/driver/wires/platformatic.ts';
import type { OpenDriver } from '../driver/drivers.ts';

export const wiresOf: Readonly<Record<DriverName, WireMaker>> = {
  kafkajs: kafkajsWires(kafkajs),
  platformatic: platformaticWires(platformatic),
};

/** Opens drivers, and counts what they send. */
export class Counted {
  readonly open: OpenDriver;
  readonly #counts = new Map<number, number>();

  constructor(name: DriverName) {
    const wires = wiresOf[name];
    const connect: WireMaker['connect'] = async (...args) => {
      const wire = await wires.connect(...args);
      const send: typeof wire.send = (request) => {
        this.#counts.set(request.key, this.of(request) + 1);
        return wire.send(request);
      };
      return { lifetime: wire.lifetime, send, close: () => wire.close() };
    };
    this.open = async (settings) => new KafkaDriver(name, { ...wires, connect }, settings);
  }

  /** How many requests of this kind have left by now, on whatever connection. */
  of({ key }: { readonly key: number }): number {
    return this.#counts.get(key) ?? 0;
  }
}
