import { backoff } from '@quorate/core';
import { failure, reasonOf } from './failure.ts';
import type { Link } from './link.ts';
import { race } from './race.ts';
import { elsewhere } from './reasons.ts';

/** A producer that nobody was before. Any broker gives one. */
export async function newProducer(
  link: Link,
  limit: AbortSignal,
): Promise<{ producerId: string; producerEpoch: number }> {
  const what = 'become a producer';
  const delays = backoff({ min: 30, max: 500 });
  for (;;) {
    try {
      const broker = await race(link.any(), limit);
      const { producerId, producerEpoch } = await race(broker.initProducerId({ transactionTimeout: 60_000 }), limit);
      return { producerId, producerEpoch };
    } catch (error) {
      const given = failure(error, { what });
      // A cluster that has just started has no numbers to give yet.
      const transient = given.code === 'kafka-unreachable' || elsewhere(reasonOf(error));
      if (limit.aborted || !transient) throw given;
      await delays.wait({ signal: limit }).catch(() => Promise.reject(given));
    }
  }
}
