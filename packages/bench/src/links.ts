import { once } from 'node:events';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import { Testbed } from '@quorate/testbed';
import type { Benchmark } from './benchmark.ts';

const bytes = 32 * 1024 * 1024;
const task = { key: 'long', bytes, times: 16, trips: 4_000 };

interface Measured {
  readonly trip: number;
  readonly speed: number;
}

/** What a link costs on which nothing is wrong: Redis asked directly, and through it. */
export const links: Benchmark = {
  name: 'links',
  what: 'the cost of a link',
  rounds: 5,
  measure: async (rounds) => {
    await using bed = await Testbed.start({ redis: 1 });
    const { password, primary } = bed.redis;
    const { address } = primary;
    await fill(address, password);
    const through = await bed.link('client', 'redis-1').address;
    const direct: Measured[] = [];
    const linked: Measured[] = [];
    for (let round = 0; round < rounds; round += 1) {
      direct.push(await measured(address, password));
      linked.push(await measured(through, password));
    }
    const added = linked.map(({ trip }, round) => trip - (direct[round]?.trip ?? 0));
    return [
      { name: 'round trip, direct (p50)', unit: 'ms', values: direct.map(({ trip }) => trip) },
      { name: 'round trip, through a link (p50)', unit: 'ms', values: linked.map(({ trip }) => trip) },
      { name: 'added by the link', unit: 'ms', values: added, aim: 0.2 },
      { name: 'one connection, direct', unit: 'MB/s', values: direct.map(({ speed }) => speed) },
      { name: 'one connection, through a link', unit: 'MB/s', values: linked.map(({ speed }) => speed), aim: 300 },
    ];
  },
};

async function measured(address: string, password: string): Promise<Measured> {
  const worker = new Worker(new URL('links-client.ts', import.meta.url), {
    workerData: { ...task, address, password },
  });
  const [figures] = (await once(worker, 'message')) as [Measured];
  await worker.terminate();
  return figures;
}

async function fill(address: string, password: string): Promise<void> {
  const [host = '', port] = address.split(':');
  const socket = connect({ host, port: Number(port) });
  socket.write(`AUTH ${password}\r\n`);
  await once(socket, 'data');
  socket.write(`*3\r\n$3\r\nSET\r\n$4\r\nlong\r\n$${bytes}\r\n${'x'.repeat(bytes)}\r\n`);
  await once(socket, 'data');
  socket.destroy();
}
