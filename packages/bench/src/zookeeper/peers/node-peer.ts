import { createInterface } from 'node:readline';
import type { Answer, Task } from '../tasks.ts';

/** What a client must be able to do to be measured. */
export interface Client {
  get(path: string): Promise<unknown>;
  set(path: string, data: Buffer): Promise<unknown>;
  create(path: string, data: Buffer): Promise<unknown>;
  delete(path: string): Promise<unknown>;
  /** Resolves when the watch is placed; calls back once, when the node has changed. */
  watch(path: string, changed: () => void): Promise<unknown>;
  close(): Promise<unknown>;
}

const data = Buffer.alloc(100, 'x');

/** Does the tasks that come in over standard input with a client of this process. */
export async function serve(connect: () => Promise<Client>): Promise<void> {
  const client = await connect();
  await client.create('/bench', data).catch(() => {});
  const folder = `/bench/${process.pid}`;
  await client.create(folder, data);
  process.stdout.write('{}\n');
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await perform(JSON.parse(line) as Task, client, folder, connect))}\n`);
  }
  await client.close();
}

async function perform(task: Task, client: Client, folder: string, connect: () => Promise<Client>): Promise<Answer> {
  switch (task.task) {
    case 'get':
      return timed(task.count, task.inFlight, () => client.get(folder));
    case 'set':
      return timed(task.count, task.inFlight, () => client.set(folder, data));
    case 'createDelete':
      return timed(task.count, 1, () => client.create(`${folder}/n`, data).then(() => client.delete(`${folder}/n`)));
    case 'watches':
      return watches(task.count, client, folder, connect);
    case 'watchMemory':
      return grown(task.count, (count) => placeWatches(count, client, folder, () => {}));
    case 'sessionMemory':
      return grown(task.count, async (count) => {
        const clients = await Promise.all(Array.from({ length: count }, connect));
        return () => Promise.all(clients.map((each) => each.close()));
      });
  }
}

async function timed(count: number, inFlight: number, request: () => Promise<unknown>): Promise<Answer> {
  const times = new Float64Array(count);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const mine = next;
      next += 1;
      const begin = performance.now();
      await request();
      times[mine] = performance.now() - begin;
    }
  };
  const cpu = process.cpuUsage();
  const begin = performance.now();
  await Promise.all(Array.from({ length: inFlight }, worker));
  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  times.sort();
  const at = (share: number): number => (times[Math.floor(count * share)] ?? Number.NaN) * 1000;
  return { seconds, p50: at(0.5), p99: at(0.99), cpuMicroseconds: user + system };
}

async function placeWatches(
  count: number,
  client: Client,
  folder: string,
  changed: () => void,
): Promise<() => Promise<unknown>> {
  const paths = Array.from({ length: count }, (_, index) => `${folder}/w${index}`);
  await Promise.all(paths.map((path) => client.create(path, data)));
  await Promise.all(paths.map((path) => client.watch(path, changed)));
  return () => Promise.all(paths.map((path) => client.delete(path)));
}

async function watches(count: number, client: Client, folder: string, connect: () => Promise<Client>): Promise<Answer> {
  const other = await connect();
  const all = Promise.withResolvers<void>();
  let left = count;
  const clean = await placeWatches(count, client, folder, () => {
    left -= 1;
    if (left === 0) all.resolve();
  });
  const begin = performance.now();
  await Promise.all(Array.from({ length: count }, (_, index) => other.set(`${folder}/w${index}`, data)));
  await all.promise;
  const seconds = (performance.now() - begin) / 1000;
  await clean();
  await other.close();
  return { seconds };
}

async function grown(count: number, grow: (count: number) => Promise<() => Promise<unknown>>): Promise<Answer> {
  // Once on a small scale, so that what is loaded and compiled along the way is not counted.
  await (await grow(1))();
  const before = await liveBytes();
  const shrink = await grow(count);
  const bytes = ((await liveBytes()) - before) / count;
  await shrink();
  return { bytes };
}

/** What is weakly held goes with a turn of the loop, and what that held with the next collection. */
async function liveBytes(): Promise<number> {
  for (let time = 0; time < 4; time += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc?.();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
