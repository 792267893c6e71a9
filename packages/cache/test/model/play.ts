import { once } from 'node:events';
import { deadline } from '@quorate/core';
import type { Redis } from 'ioredis';
import { Exchange } from './exchange.ts';
import { nothingProved, type Proved } from './scene.ts';
import { schedule } from './schedule.ts';
import { World } from './world.ts';

export interface PlayOptions {
  readonly redis: Redis;
  /** Of the first schedule; each one after it has the next. */
  readonly seed: number;
  /** Whether another one is to be begun, after so many. */
  readonly more: (played: number) => boolean;
}

export interface Played {
  readonly schedules: number;
  readonly proved: Readonly<Proved>;
  /** What happened in the first schedule that broke a promise: it is the last. */
  readonly broken?: { readonly seed: number; readonly story: string };
}

/** Milliseconds that one may take, beside the others. */
const longest = 20_000;

/** At the same time: their waits for the server overlap. */
const together = 16;

/** One schedule after the other, until there are enough or one has shown an answer that is too old. */
export async function playSchedules({ redis, seed, more }: PlayOptions): Promise<Played> {
  using exchange = await Exchange.open(redis);
  let begun = 0;
  let schedules = 0;
  const proved = nothingProved();
  let broken: Played['broken'];
  const play = async (): Promise<void> => {
    while (broken === undefined && more(begun)) {
      const own = seed + begun;
      begun += 1;
      const world = new World(exchange);
      const end = deadline(longest);
      await Promise.race([world.play(schedule(own)), once(end.signal, 'abort')]);
      if (end.signal.aborted) broken ??= { seed: own, story: [...world.story, 'It does not end.'].join('\n') };
      end[Symbol.dispose]();
      await world.close();
      schedules += 1;
      for (const [what, times] of Object.entries(world.proved) as [keyof Proved, number][]) {
        proved[what] += times;
      }
      if (world.broken) broken ??= { seed: own, story: world.story.join('\n') };
    }
  };
  await Promise.all(Array.from({ length: together }, play));
  return { schedules, proved, ...(broken && { broken }) };
}
