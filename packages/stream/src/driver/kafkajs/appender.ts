import { deadline } from '@quorate/core';
import { StreamClosedError } from '../../errors/stream-closed-error.ts';
import type { Appended, Appender } from '../appender.ts';
import type { RecordBatch } from '../record.ts';
import { Delivery } from './delivery.ts';
import type { Link } from './link.ts';
import { newProducer } from './producer-id.ts';

export class KafkajsAppender implements Appender {
  readonly #link: Link;
  readonly #delivery: Delivery;
  readonly #over: AbortController;

  /** `limit` is for the start alone. */
  static async start(link: Link, limit: AbortSignal): Promise<KafkajsAppender> {
    const over = new AbortController();
    const identity = await newProducer(link, limit);
    return new KafkajsAppender(link, new Delivery(link, identity, () => newProducer(link, over.signal)), over);
  }

  private constructor(link: Link, delivery: Delivery, over: AbortController) {
    this.#link = link;
    this.#delivery = delivery;
    this.#over = over;
  }

  async append(batches: readonly RecordBatch[]): Promise<readonly Appended[]> {
    using limit = deadline(this.#link.settings.deliveryTimeout, this.#over.signal);
    const outcomes = await this.#delivery.deliver(batches, limit.signal);
    return this.#over.signal.aborted ? outcomes.map(closed) : outcomes;
  }

  async close(): Promise<void> {
    this.#over.abort();
    await this.#link.close();
  }
}

/** What was not sent because of the end, and not because no broker is there. */
function closed(outcome: Appended): Appended {
  return outcome.error?.code === 'kafka-unreachable' ? { error: new StreamClosedError('the appender') } : outcome;
}
