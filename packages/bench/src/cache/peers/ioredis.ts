import { Redis } from 'ioredis';
import { serve } from './serve.ts';

/** `pipelined`: with its automatic pipelining. */
const enableAutoPipelining = process.argv[2] === 'pipelined';

await serve(async (url) => {
  const redis = new Redis(url, { enableAutoPipelining });
  const read = async (key: string): Promise<unknown> => {
    const text = await redis.get(key);
    return text === null ? undefined : JSON.parse(text);
  };
  const set = (key: string, value: unknown, ttl = 3_600_000): Promise<unknown> =>
    redis.set(key, JSON.stringify(value), 'PX', ttl);
  return {
    both: undefined,
    remote: {
      get: read,
      set: (key, value) => set(key, value),
      getOrLoad: async (key, load, ttl) => {
        const found = await read(key);
        if (found !== undefined) return found;
        const value = await load();
        await set(key, value, ttl);
        return value;
      },
    },
    close: async () => redis.disconnect(),
  };
});
