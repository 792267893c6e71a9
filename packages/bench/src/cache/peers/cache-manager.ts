import KeyvRedis from '@keyv/redis';
import { createCache } from 'cache-manager';
import { Keyv } from 'keyv';
import { serve, type Tier } from './serve.ts';

await serve(async (url) => {
  const redis = (): Keyv => new Keyv({ store: new KeyvRedis(url), namespace: 'manager' });
  const both = createCache({ stores: [new Keyv(), redis()], ttl: 3_600_000 });
  const remote = createCache({ stores: [redis()], ttl: 3_600_000 });
  const tierOf = (cache: typeof both): Tier => ({
    get: (key) => cache.get(key),
    set: (key, value) => cache.set(key, value),
    // It refreshes in the background when less than so much is left; it has no stale values.
    getOrLoad: (key, load, ttl) => cache.wrap(key, load, ttl),
  });
  return {
    both: tierOf(both),
    remote: tierOf(remote),
    close: async () => {
      await both.disconnect();
      await remote.disconnect();
    },
  };
});
