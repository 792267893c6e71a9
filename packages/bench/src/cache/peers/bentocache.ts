import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis';
import { serve, type Tier } from './serve.ts';

/** `kept`: objects stay what they are in the process, instead of being written and read each time. */
const kept = process.argv[2] === 'kept';

await serve(async (url) => {
  const { hostname: host, port, password } = new URL(url);
  const connection = { host, port: Number(port), password };
  const memory = memoryDriver({ maxItems: 2_000_000, serialize: !kept } as Parameters<typeof memoryDriver>[0]);
  const bento = new BentoCache({
    default: 'both',
    prefix: 'bento',
    ttl: '1h',
    stores: {
      both: bentostore()
        .useL1Layer(memory)
        .useL2Layer(redisDriver({ connection }))
        .useBus(redisBusDriver({ connection })),
      remote: bentostore().useL2Layer(redisDriver({ connection })),
    },
  });
  const tierOf = (name: 'both' | 'remote'): Tier => {
    const cache = bento.use(name);
    return {
      get: (key) => cache.get({ key }),
      set: (key, value, tags) => cache.set({ key, value, ...(tags && { tags: [...tags] }) }),
      getOrLoad: (key, load, ttl, stale) =>
        cache.getOrSet({
          key,
          factory: load,
          ...(ttl !== undefined && { ttl }),
          ...(stale && { grace: stale, timeout: 0 }),
        }),
      invalidate: (tag) => cache.deleteByTag({ tags: [tag] }),
    };
  };
  return { both: tierOf('both'), remote: tierOf('remote'), close: () => bento.disconnectAll() };
});
