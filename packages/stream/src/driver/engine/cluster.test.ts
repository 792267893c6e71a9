import { expect, test } from 'vitest';
import { KafkaUnreachableError } from '../../errors/kafka-unreachable-error.ts';
import type { Address } from '../wire.ts';
import { Cluster } from './cluster.ts';
import type { Connections } from './connections.ts';
import { Again } from './failure.ts';
import type { MetadataAnswer } from './protocol/metadata.ts';

const settings = {
  brokers: ['one:1', 'two:2', 'three:3'],
  clientId: 'c',
  tls: undefined,
  sasl: undefined,
  connectTimeout: 30_000,
  requestTimeout: 30_000,
  deliveryTimeout: 30_000,
};
const asking = { what: 'look', signal: new AbortController().signal };

/** Stand-ins for brokers: all of them answer the same, except those that are down. */
class Brokers {
  down: readonly string[] = [];
  alive: MetadataAnswer['brokers'] = [];
  readonly asked: string[] = [];

  cluster(): Cluster {
    const ask = async ({ host }: Address): Promise<MetadataAnswer> => {
      this.asked.push(host);
      if (this.down.includes(host)) throw new Again(new KafkaUnreachableError('look'));
      return { brokers: this.alive, controllerId: 1, topics: [] };
    };
    return new Cluster({ ask } as unknown as Connections, settings);
  }
}

test('a broker that the others do not count any more is forgotten', async () => {
  const brokers = new Brokers();
  const cluster = brokers.cluster();
  const [a, b, c] = ['a', 'b', 'c'].map((host, nodeId) => ({ nodeId, host, port: 9 }));
  brokers.alive = [a, b].filter((one) => one !== undefined);
  await cluster.look([], asking);
  expect(cluster.brokers.map(({ host }) => host)).toEqual(['a', 'b']);
  brokers.alive = [b, c].filter((one) => one !== undefined);
  await cluster.look([], asking);
  expect(cluster.brokers.map(({ host }) => host)).toEqual(['b', 'c']);
  expect(cluster.address(0)).toBe(undefined);
  expect(cluster.address(2)).toMatchObject({ host: 'c' });
});

test('whoever has answered is asked first the next time', async () => {
  const brokers = new Brokers();
  const cluster = brokers.cluster();
  brokers.down = ['one'];
  await cluster.look([], asking);
  await cluster.look([], asking);
  expect(brokers.asked).toEqual(['one', 'two', 'two']);
  brokers.down = ['two', 'three'];
  await cluster.look([], asking);
  await cluster.look([], asking);
  expect(brokers.asked.slice(3)).toEqual(['two', 'three', 'one', 'one']);
});
