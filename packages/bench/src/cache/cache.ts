import { Testbed } from '@quorate/testbed';
import type { Benchmark, Figure } from '../benchmark.ts';
import { type Contestant, names, pinServer, start } from './contestants.ts';
import { stampedes } from './stampede.ts';
import type { Answer, Task } from './tasks.ts';

interface Measure {
  readonly name: string;
  readonly task: Task;
  /** In a new process: memory that an earlier task has left free would hide what this one takes. */
  readonly fresh?: true;
  /** In the first round alone: it takes minutes. */
  readonly once?: true;
  readonly figures: readonly Reading[];
}

interface Reading {
  readonly name: string;
  readonly unit: Figure['unit'];
  readonly of: (answer: Required<Answer>) => number;
}

const p50: Reading = { name: 'p50', unit: 'µs', of: (answer) => answer.p50 };
const p99: Reading = { name: 'p99', unit: 'µs', of: (answer) => answer.p99 };
const rate = (count: number): Reading => ({ name: 'rate', unit: '/s', of: ({ seconds }) => count / seconds });
const each = (count: number): Reading => ({ name: 'each', unit: 'ns', of: ({ seconds }) => (seconds / count) * 1e9 });
const cpu = (count: number): Reading => ({
  name: 'processor time, each',
  unit: 'µs',
  of: ({ cpuMicroseconds }) => cpuMicroseconds / count,
});
const bytes = (name: string): Reading => ({ name, unit: 'B', of: (answer) => answer.bytes });
const took: Reading = { name: 'took', unit: 'ms', of: ({ seconds }) => seconds * 1000 };

/** Ends its process when another one says that an entry has ended: version 1.6.1 reads what it has not written. */
const unfitForStampedes: ReadonlySet<string> = new Set(['bentocache, objects kept']);

const hits = 300_000;
const reads = (callers: number, count: number): Measure => ({
  name: `hit in Redis, ${callers} ${callers === 1 ? 'caller' : 'callers'}`,
  task: { task: 'redisHit', callers, count },
  figures: callers === 1 ? [p50, p99, cpu(count)] : [rate(count), p50, p99, cpu(count)],
});

const loads = (callers: number, count: number): Measure => ({
  name: `get or load, ${callers} ${callers === 1 ? 'caller' : 'callers'}`,
  task: { task: 'getOrLoad', callers, count },
  figures: callers === 1 ? [p50, p99, cpu(count)] : [rate(count), p50, p99, cpu(count)],
});

const measures: readonly Measure[] = [
  {
    name: 'hit in the process',
    task: { task: 'localHit', count: hits, tagged: false },
    figures: [each(hits), cpu(hits), bytes('allocated, each')],
  },
  {
    name: 'hit in the process, tagged',
    task: { task: 'localHit', count: hits, tagged: true },
    figures: [each(hits), cpu(hits), bytes('allocated, each')],
  },
  reads(1, 10_000),
  reads(64, 100_000),
  reads(1_000, 100_000),
  loads(1, 10_000),
  loads(64, 30_000),
  ...[10, 10_000].map(
    (keys): Measure => ({
      name: `invalidation of a tag of ${keys} keys`,
      task: { task: 'invalidate', keys },
      figures: [took],
    }),
  ),
  {
    name: 'invalidation of a tag of 1000000 keys',
    task: { task: 'invalidate', keys: 1_000_000 },
    once: true,
    fresh: true,
    figures: [took],
  },
  {
    name: 'an entry of 1 KB in the process',
    task: { task: 'memory', count: 20_000 },
    fresh: true,
    figures: [bytes('memory')],
  },
];

/** Our cache beside its peers on one Redis. They take turns within each round, in an order that changes. */
export const cache: Benchmark = {
  name: 'cache',
  what: 'caches side by side, on one Redis',
  rounds: 5,
  measure: async (rounds) => {
    await using bed = await Testbed.start({ redis: { servers: 1, config: { appendonly: 'no' } } });
    const url = bed.redis.url;
    await pinServer(bed.redis.primary.pid ?? 0);
    const values = new Map<string, Figure>();
    const note = (name: string, unit: Figure['unit'], value: number): void => {
      const before = values.get(name)?.values ?? [];
      values.set(name, { name, unit, values: [...before, value] });
    };
    await using contestants = new AsyncDisposableStack();
    const peers: Contestant[] = [];
    for (const name of names) peers.push(contestants.use(await start(name, url)));
    for (const peer of peers) await warmUp(peer);
    for (let round = 0; round < rounds; round += 1) {
      const turn = round % peers.length;
      const order = [...peers.slice(turn), ...peers.slice(0, turn)];
      for (const measure of measures) {
        if (measure.once && round > 0) continue;
        for (const peer of order) await take(measure, peer, url, note);
      }
      for (const { name } of order) if (!unfitForStampedes.has(name)) await stampedes(name, url, note);
      console.error(`round ${round + 1} of ${rounds}`);
    }
    return [...values.values()];
  },
};

/** Until what is compiled is compiled; each gets the same. */
async function warmUp(peer: Contestant): Promise<void> {
  await peer.perform({ task: 'localHit', count: hits, tagged: false });
  await peer.perform({ task: 'localHit', count: hits, tagged: true });
  for (const callers of [1, 64]) await peer.perform({ task: 'redisHit', count: 20_000, callers });
  await peer.perform({ task: 'getOrLoad', count: 10_000, callers: 64 });
}

async function take(
  { name, task, figures, fresh }: Measure,
  peer: Contestant,
  url: string,
  note: (name: string, unit: Figure['unit'], value: number) => void,
): Promise<void> {
  const answer = await (fresh ? anew(task, peer.name, url) : peer.perform(task));
  if (Object.keys(answer).length === 0) return;
  for (const { name: what, unit, of } of figures) {
    note(`${name}, ${what}: ${peer.name}`, unit, of(answer as Required<Answer>));
  }
}

async function anew(task: Task, name: string, url: string): Promise<Answer> {
  await using peer = await start(name, url);
  return await peer.perform(task);
}
