import { Latency, type LatencySummary } from './latency.ts';

/** Counts since the cache was made, and what it holds now. */
export interface CacheStats {
  /** Each call of `get`, and each key of `getMany`, counts once: as a hit, a miss, or `staleServed`; but not one that is refused for what it was given. */
  readonly hits: { readonly local: number; readonly redis: number };
  /** Calls for which there was nothing to give: they waited for a load or, under a token, may have failed before one. */
  readonly misses: number;
  /** Loads in this process; `failed` are among those `started`. A load of `getMany` is one. */
  readonly loads: { readonly started: number; readonly failed: number; readonly refused: number };
  /** Calls that shared the way of another call of this process to its value, and keys for which another process's load was waited for. */
  readonly waits: { readonly joined: number; readonly elsewhere: number };
  /** Calls that were given a stale value. */
  readonly staleServed: number;
  readonly refreshes: number;
  /** Values that were loaded and not kept: too large, their lease lost, their key deleted or tags invalidated meanwhile. */
  readonly notKept: number;
  /** What stood in Redis and could not be used: not ours, another shape, another serializer. */
  readonly unreadable: number;
  readonly redisSilences: number;
  readonly local: { readonly items: number; readonly bytes: number; readonly evictions: number };
  /** Of Redis: of each batch of requests that left together. */
  readonly latency: { readonly redis: LatencySummary; readonly load: LatencySummary };
}

/** Where a call has its value from. */
export type Source = 'localHits' | 'redisHits' | 'misses' | 'staleServed';

/** The counters behind `CacheStats`. */
export class Counters {
  localHits = 0;
  redisHits = 0;
  misses = 0;
  loads = 0;
  failedLoads = 0;
  refusedLoads = 0;
  joined = 0;
  elsewhere = 0;
  staleServed = 0;
  refreshes = 0;
  notKept = 0;
  unreadable = 0;
  redisSilences = 0;
  evictions = 0;
  readonly redis: Latency = new Latency();
  readonly load: Latency = new Latency();

  /** One call of the origin. */
  async counted<T>(work: () => Promise<T>): Promise<T> {
    this.loads += 1;
    const begin = performance.now();
    try {
      return await work();
    } catch (error) {
      this.failedLoads += 1;
      throw error;
    } finally {
      this.load.add(performance.now() - begin);
    }
  }

  summary(local: { readonly items: number; readonly bytes: number } | undefined): CacheStats {
    return {
      hits: { local: this.localHits, redis: this.redisHits },
      misses: this.misses,
      loads: { started: this.loads, failed: this.failedLoads, refused: this.refusedLoads },
      waits: { joined: this.joined, elsewhere: this.elsewhere },
      staleServed: this.staleServed,
      refreshes: this.refreshes,
      notKept: this.notKept,
      unreadable: this.unreadable,
      redisSilences: this.redisSilences,
      local: { items: local?.items ?? 0, bytes: local?.bytes ?? 0, evictions: this.evictions },
      latency: { redis: this.redis.summary(), load: this.load.summary() },
    };
  }
}
