import { Cache, type CacheOptions } from '@quorate/cache';
import { Redis } from 'ioredis';
import { serve, type Tier } from './serve.ts';

const missing = (): never => {
  throw new Error('it is not there');
};

function tierOf(cache: Cache): Tier {
  return {
    get: (key) => cache.get(key, missing),
    set: (key, value, tags) => cache.set(key, value, tags && { tags }),
    getOrLoad: (key, load, ttl, stale) =>
      cache.get(key, load, ttl === undefined ? undefined : { ttl, stale: stale ?? 0 }),
    invalidate: (tag) => cache.invalidate({ tags: [tag] }),
  };
}

await serve(async (url) => {
  const redis = new Redis(url);
  // Early refresh and time-outs are as in the defaults. The others keep as many entries.
  const options: CacheOptions = { redis, prefix: 'bench', ttl: '1h' };
  const both = new Cache({ ...options, local: { maxItems: 2_000_000, maxBytes: 2 ** 33 } });
  const remote = new Cache({ ...options, prefix: 'bench-remote', local: false });
  await both.start();
  await remote.start();
  return {
    both: tierOf(both),
    remote: tierOf(remote),
    close: async () => {
      await both.stop();
      await remote.stop();
      redis.disconnect();
    },
  };
});
