// One process of a stampede: `node stampede-process.ts <prefix> <settings as JSON>`, on $QUORATE_REDIS. It tells what it does in lines
// of JSON, and does what it is told in lines of its standard input.
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { Cache } from '../src/index.ts';

const [prefix = '', settings = '{}'] = process.argv.slice(2);
const redis = new Redis(process.env.QUORATE_REDIS ?? '').on('error', () => {});
const cache = new Cache({ redis, prefix, ...JSON.parse(settings) });
await cache.start();
const say = (message: unknown): void => void process.stdout.write(`${JSON.stringify(message)}\n`);
say('ready');

let loads = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const { ask, key, callers, loadMs, fence, ttl } = JSON.parse(line);
  if (ask === 'stats') {
    say({ loads, stats: cache.stats(), health: cache.health().status });
    continue;
  }
  if (ask === 'end') break;
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
  const options = { ...(fence !== undefined && { fence: BigInt(fence) }), ...(ttl !== undefined && { ttl }) };
  const outcomes = await Promise.allSettled(Array.from({ length: callers }, () => cache.get(key, load, options)));
  const values = new Map<string, number>();
  for (const outcome of outcomes) {
    const value = outcome.status === 'fulfilled' ? outcome.value : `error ${outcome.reason.code ?? outcome.reason}`;
    values.set(value, (values.get(value) ?? 0) + 1);
  }
  say({ values: Object.fromEntries(values) });
}
await cache.stop();
redis.disconnect();
// An open pipe keeps a process alive; the cache must not.
process.stdin.destroy();
