// One process of a stampede: `node stampede-process.ts`, on $QUORATE_REDIS. It tells what it does in lines of JSON, and does what it is
// told in lines of its standard input: first to open a cache, in place of the one it has had.
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { Cache } from '../src/index.ts';

const say = (message: unknown): void => void process.stdout.write(`${JSON.stringify(message)}\n`);
const open = (prefix: string, settings: object): { readonly redis: Redis; readonly cache: Cache } => {
  const redis = new Redis(process.env.QUORATE_REDIS ?? '').on('error', () => {});
  return { redis, cache: new Cache({ redis, prefix, ...settings }) };
};
let opened: ReturnType<typeof open> | undefined;
const close = async (): Promise<void> => {
  await opened?.cache.stop();
  opened?.redis.disconnect();
};

let loads = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const { ask, prefix, settings, key, callers, loadMs, fence } = JSON.parse(line);
  if (ask === 'open') {
    await close();
    opened = open(prefix, settings);
    await opened.cache.start();
    loads = 0;
    say('ready');
    continue;
  }
  if (ask === 'end' || opened === undefined) break;
  const { cache } = opened;
  if (ask === 'stats') {
    say({ loads, stats: cache.stats(), health: cache.health().status });
    continue;
  }
  if (ask === 'stand still') {
    say('standing still');
    // Nothing of this process runs, as when it is paused; and what it is asked first afterwards, it is asked at once.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, loadMs);
    say({ values: { [await cache.get(key, () => 'loaded anew')]: 1 } });
    continue;
  }
  const load = async ({ signal }: { signal: AbortSignal }): Promise<string> => {
    loads += 1;
    say('loading');
    await new Promise((resolve) => setTimeout(resolve, loadMs));
    signal.throwIfAborted();
    return `by ${process.pid}`;
  };
  const options = fence === undefined ? {} : { fence: BigInt(fence) };
  const outcomes = await Promise.allSettled(Array.from({ length: callers }, () => cache.get(key, load, options)));
  const values = new Map<string, number>();
  for (const outcome of outcomes) {
    const value = outcome.status === 'fulfilled' ? outcome.value : `error ${outcome.reason.code ?? outcome.reason}`;
    values.set(value, (values.get(value) ?? 0) + 1);
  }
  say({ values: Object.fromEntries(values) });
}
await close();
// An open pipe keeps a process alive; the cache must not.
process.stdin.destroy();
