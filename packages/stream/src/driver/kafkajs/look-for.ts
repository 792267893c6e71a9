import { backoff, deadline, type QuorateError } from '@quorate/core';
import { UnknownTopicError } from '../../errors/unknown-topic-error.ts';
import { Answer, failure } from './failure.ts';
import type { Link } from './link.ts';
import { race } from './race.ts';
import { nameOf } from './reasons.ts';

/** A topic that was made just now is not known to every broker at once. */
const newTopicWithin = 5_000;

/** Resolves when something is known of all these topics. Rejects when one is not there, not allowed, or the signal aborts. */
export async function lookFor(link: Link, topics: readonly string[], signal: AbortSignal): Promise<void> {
  using limit = deadline(newTopicWithin, signal);
  const delays = backoff({ min: 30, max: 300 });
  let last: QuorateError | undefined;
  for (;;) {
    try {
      await race(link.look(topics), limit.signal);
      last = undefined;
      for (const topic of topics) last ??= missing(link, topic);
      if (!last) return;
    } catch (error) {
      last = limit.signal.aborted ? last : failure(error, { what: `look for ${topics.join(', ')}` });
    }
    signal.throwIfAborted();
    last ??= failure(new Error('no answer in time'), { what: `look for ${topics.join(', ')}` });
    if (limit.signal.aborted || (last.code !== 'unknown-topic' && last.code !== 'kafka-unreachable')) throw last;
    await delays.wait({ signal: limit.signal }).catch(() => {});
  }
}

function missing(link: Link, topic: string): QuorateError | undefined {
  const { errorCode, partitions } = link.topic(topic);
  if (nameOf(errorCode) === 'UNKNOWN_TOPIC_OR_PARTITION') return new UnknownTopicError(topic);
  // Without a leader there is nothing to read in a partition now, and later there may be.
  if (partitions.size > 0) return undefined;
  return failure(new Answer(errorCode === 0 ? 5 : errorCode), { what: `use "${topic}"`, topic });
}
