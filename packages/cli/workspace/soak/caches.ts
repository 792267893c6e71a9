import { Testbed } from '@quorate/testbed';
// The schedules of npm test, one after the other for as long as one likes.
import { clientOf } from '../../../cache/test/fixture.ts';
import { type Played, playSchedules } from '../../../cache/test/model/play.ts';

export interface CachesOptions {
  readonly minutes: number;
  /** Of the first schedule; each one after it has the next. */
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** How often it is told how far it is. */
const every = 5_000;

/** Schedules of three caches whose connections are slow, held and cut, until the time is up or a promise is broken. */
export async function caches({ minutes, seed, signal, say }: CachesOptions): Promise<Played> {
  await using bed = await Testbed.start({ redis: 1 }, { signal });
  const until = performance.now() + minutes * 60_000;
  const redis = clientOf(bed.redis.url);
  let told = every;
  const more = (begun: number): boolean => {
    if (begun === told) {
      say(`${begun} schedules`);
      told += every;
    }
    return performance.now() < until && !signal.aborted;
  };
  const played = await playSchedules({ redis, seed, more });
  signal.throwIfAborted();
  return played;
}
