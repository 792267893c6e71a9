import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { Testbed } from '../src/index.ts';
import { Ports } from '../src/processes/ports.ts';
import { ended, program } from './program.ts';

test('six beds in one process keep to themselves', async () => {
  const beds = await Promise.all(Array.from({ length: 6 }, () => Testbed.start({ redis: 1 })));
  const clients = beds.map((bed) => new Redis(bed.redis.url));
  await Promise.all(clients.map((client, index) => client.set('mine', index)));
  expect(await Promise.all(clients.map((client) => client.get('mine')))).toEqual(['0', '1', '2', '3', '4', '5']);
  expect(new Set(beds.flatMap((bed) => bed.servers.map(({ address }) => address))).size).toBe(6);
  for (const client of clients) client.disconnect();
  await Promise.all(beds.map((bed) => bed.stop()));
});

test('beds in four processes, started together, all come up on ports of their own', async () => {
  const children = Array.from({ length: 4 }, () =>
    program(
      `await using bed = await Testbed.start({ redis: 3, zookeeper: 1 }); show(bed); await fetch('http://127.0.0.1:1').catch(() => {});`,
    ),
  );
  const shown = await Promise.all(children.map((child) => child.shown));
  expect(await Promise.all(children.map(ended))).toEqual([0, 0, 0, 0]);
  expect(shown.flatMap(({ ports }) => ports)).toHaveLength(16);
});

test('a claimed port is not given out again, in this process or in another, until it is released', async () => {
  const [one, two] = [new Ports(), new Ports()];
  const claimed = await Promise.all(Array.from({ length: 200 }, (_, index) => (index % 2 ? one : two).claim()));
  expect(new Set(claimed).size).toBe(200);
  one.release();
  two.release();
});
