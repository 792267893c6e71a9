import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { eventually } from '@quorate/testbed';
import { Redis, type RedisOptions } from 'ioredis';
import { Cache, type CacheOptions } from '../src/index.ts';

/** A client whose errors are nobody's concern: servers die here on purpose. */
export function clientOf(url: string, options: Omit<RedisOptions, 'replyMapping'> = {}): Redis {
  const { hostname, port, password } = new URL(url);
  return new Redis({ host: hostname, port: Number(port), password, ...options }).on('error', () => {});
}

/** Caches on one Redis, under a prefix of their own; all are gone at the end of the block. */
export interface Caches extends AsyncDisposable {
  readonly prefix: string;
  /** A client to look at, and to meddle with, what the caches have in Redis. */
  readonly redis: Redis;
  /** One more process, as far as the caches are concerned: its own connection, its own local tier. */
  cache(options?: Partial<CacheOptions>): Promise<Cache>;
}

export function caches(url: string): Caches {
  const prefix = `test-${randomBytes(6).toString('hex')}`;
  const stack = new AsyncDisposableStack();
  const redis = clientOf(url);
  stack.defer(() => redis.disconnect());
  return {
    prefix,
    redis,
    cache: async (options = {}) => {
      const own = options.redis ?? clientOf(url);
      if (options.redis === undefined) stack.defer(() => own.disconnect());
      const cache = stack.use(new Cache({ redis: own, prefix, ttl: '1m', heartbeat: 100, ...options }));
      await cache.start();
      return cache;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Until changes are heard: before that, nothing local is trusted. */
export async function hearing(...all: Cache[]): Promise<void> {
  await eventually('changes are heard', () => all.every((cache) => cache.health().status === 'pass'));
}

/** Replies to one kind of command, once they have been received, wait in the client until they are let through. */
export function heldReplies(
  redis: Redis,
  command: 'evalsha' | 'getBuffer',
): { hold(): void; release(): void; readonly held: () => number } {
  const ask = redis[command].bind(redis) as (...args: never[]) => Promise<unknown>;
  let gate: PromiseWithResolvers<void> | undefined;
  let held = 0;
  const gated = async (...args: never[]): Promise<unknown> => {
    const through = gate;
    const reply = await ask(...args);
    if (through) {
      held += 1;
      await through.promise;
    }
    return reply;
  };
  Object.assign(redis, { [command]: gated });
  return {
    hold: () => {
      gate = Promise.withResolvers();
    },
    release: () => {
      gate?.resolve();
      gate = undefined;
    },
    held: () => held,
  };
}

/** The rights of a user that the docs name, for one server or for each of a cluster, with this prefix in place of `taxi`. */
export async function documentedRights(prefix: string): Promise<{ readonly server: string; readonly cluster: string }> {
  const docs = await readFile(new URL('../../../docs/cache.md', import.meta.url), 'utf8');
  const named = (pattern: RegExp): string => (pattern.exec(docs)?.[1] ?? '').replaceAll('taxi:', `${prefix}:`);
  const server = named(/^user taxi on >… (.+)$/m);
  return { server, cluster: `${server} ${named(/`(\+cluster[^`]*)`/)}` };
}

/** A loader that counts its calls, and gives each call's number. */
export function counting(): { readonly load: () => Promise<number>; readonly calls: () => number } {
  let calls = 0;
  return {
    load: async () => {
      calls += 1;
      return calls;
    },
    calls: () => calls,
  };
}

export async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'done',
    (error) => (typeof error.code === 'string' ? error.code : error.name),
  );
}
