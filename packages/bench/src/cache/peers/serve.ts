import { createInterface } from 'node:readline';
import type { Answer, Task } from '../tasks.ts';

/** One way of caching, as a peer offers it. */
export interface Tier {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown, tags?: readonly string[]): Promise<unknown>;
  /** The value, or what `load` gives. `ttl` and `stale` are in milliseconds. */
  getOrLoad(key: string, load: () => Promise<unknown>, ttl?: number, stale?: number): Promise<unknown>;
  invalidate?(tag: string): Promise<unknown>;
}

/** What a peer must offer to be measured. */
export interface Contestant {
  /** In the process first, then in Redis; undefined where there is no such thing. */
  readonly both: Tier | undefined;
  /** In Redis alone. */
  readonly remote: Tier;
  close(): Promise<unknown>;
}

/** About a thousand bytes of JSON. */
const record = {
  id: 142,
  name: 'Lincoln Square East',
  borough: 'Manhattan',
  at: [40.77, -73.98],
  notes: 'x'.repeat(920),
};

/** Does the tasks that come in over standard input. */
export async function serve(connect: (url: string) => Promise<Contestant>): Promise<void> {
  const contestant = await connect(process.env.QUORATE_REDIS ?? '');
  process.stdout.write('{}\n');
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await perform(JSON.parse(line) as Task, contestant))}\n`);
  }
  await contestant.close();
}

async function perform(task: Task, { both, remote }: Contestant): Promise<Answer> {
  switch (task.task) {
    case 'localHit':
      return both && (!task.tagged || both.invalidate) ? localHits(both, task.count, task.tagged) : {};
    case 'redisHit':
      return redisHits(remote, task.count, task.callers);
    case 'getOrLoad': {
      const run = unique();
      return timed(task.count, task.callers, (index) => remote.getOrLoad(`${run} ${index}`, async () => record));
    }
    case 'stampede':
      return stampede(both ?? remote, task);
    case 'invalidate':
      return both?.invalidate ? invalidate(both, task.keys) : {};
    case 'memory':
      return both ? memory(both, task.count) : {};
  }
}

let runs = 0;
function unique(): string {
  runs += 1;
  return `${process.pid}-${runs}`;
}

/** A clock reading for each would be most of what is measured: the time of all, by their number. */
async function localHits(tier: Tier, count: number, tagged: boolean): Promise<Answer> {
  const key = unique();
  await tier.set(key, record, tagged ? ['a', 'b'] : undefined);
  await tier.get(key);
  const cpu = process.cpuUsage();
  const begin = performance.now();
  for (let i = 0; i < count; i += 1) await tier.get(key);
  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  // Few enough that nothing is collected in between.
  const few = 2_000;
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < few; i += 1) await tier.get(key);
  const bytes = (process.memoryUsage().heapUsed - before) / few;
  return { seconds, cpuMicroseconds: user + system, bytes };
}

async function redisHits(tier: Tier, count: number, callers: number): Promise<Answer> {
  const run = unique();
  const keys = Array.from({ length: 1_000 }, (_, index) => `${run} ${index}`);
  for (const key of keys) await tier.set(key, record);
  return timed(count, callers, (index) => tier.get(keys[index % keys.length] ?? ''));
}

async function timed(count: number, callers: number, call: (index: number) => Promise<unknown>): Promise<Answer> {
  const times = new Float64Array(count);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const mine = next;
      next += 1;
      const begin = performance.now();
      await call(mine);
      times[mine] = performance.now() - begin;
    }
  };
  const cpu = process.cpuUsage();
  const begin = performance.now();
  await Promise.all(Array.from({ length: callers }, worker));
  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { seconds, ...percentiles(times), cpuMicroseconds: user + system };
}

function percentiles(times: Float64Array): Answer {
  times.sort();
  const at = (share: number): number =>
    (times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN) * 1000;
  return { p50: at(0.5), p99: at(0.99), most: at(1) };
}

async function stampede(tier: Tier, { key, callers, ttl, stale }: Task & { task: 'stampede' }): Promise<Answer> {
  let loads = 0;
  let errors = 0;
  const load = async (): Promise<string> => {
    loads += 1;
    await new Promise((resolve) => setTimeout(resolve, 50));
    return `by ${process.pid}, ${loads}`;
  };
  const times = new Float64Array(callers);
  const values = await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      const begin = performance.now();
      // That somebody gets an error is a result too.
      const value = await tier.getOrLoad(key, load, ttl, stale ? 600_000 : 0).catch((error) => {
        errors += 1;
        return `error: ${error.message}`;
      });
      times[caller] = performance.now() - begin;
      return String(value);
    }),
  );
  // Who gets a stale value is answered before anybody loads.
  if (stale) await new Promise((resolve) => setTimeout(resolve, 200));
  return { ...percentiles(times), loads, errors, values: [...new Set(values)] };
}

async function invalidate(tier: Tier, keys: number): Promise<Answer> {
  const run = unique();
  for (let from = 0; from < keys; from += 500) {
    const some = Array.from({ length: Math.min(500, keys - from) }, (_, index) => `${run} ${from + index}`);
    await Promise.all(some.map((key) => tier.set(key, 1, [run])));
  }
  const begin = performance.now();
  await tier.invalidate?.(run);
  return { seconds: (performance.now() - begin) / 1000 };
}

async function memory(tier: Tier, count: number): Promise<Answer> {
  const fill = async (number: number): Promise<void> => {
    const run = unique();
    for (let index = 0; index < number; index += 1) {
      const key = `${run} ${index}`;
      // Each its own text, which is not shared with any other.
      await tier.set(key, { ...record, id: index, notes: String(index).padEnd(920, 'x') });
      await tier.get(key);
    }
  };
  // Once on a small scale, so that what is loaded and compiled along the way is not counted.
  await fill(500);
  const before = await liveBytes();
  await fill(count);
  return { bytes: ((await liveBytes()) - before) / count };
}

/** After two collections: what the first has freed may have held more. */
async function liveBytes(): Promise<number> {
  for (let i = 0; i < 2; i += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
