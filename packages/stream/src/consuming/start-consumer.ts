import type { Opened } from '../connection.ts';
import { UnknownTopicError } from '../errors/unknown-topic-error.ts';
import type { Codec } from '../topic/codec.ts';
import { offsetCommits } from './commits.ts';
import type { ConsumeSettings } from './consume-options.ts';
import { Consumer } from './consumer.ts';
import { DeadLetters, deadTopicOf, TransactionalDeadLetters } from './dead-letters.ts';
import { drop } from './diagnostics.ts';
import { Fences, fenceTopicOf } from './fences.ts';
import { Seen } from './seen.ts';
import { noStats } from './stats.ts';
import { Transactions } from './transactions.ts';
import { Treatment } from './treatment.ts';

/** How long dead letters are kept where the topic for them is made here. */
const deadLettersFor = 30 * 86_400_000;

/** A consumer with all that it needs; the topic for its dead letters is made when it is not there. */
export async function startConsumer(
  { driver, layout, publisher }: Opened,
  topic: string,
  codec: Codec,
  settings: ConsumeSettings,
  signal: AbortSignal,
): Promise<Consumer> {
  const { group, handler, retry, deadLetter, dedupe, fenced, transactional } = settings;
  const { admin } = driver;
  const shape = await admin.describeTopic(topic, [], signal);
  if (!shape) throw new UnknownTopicError(topic);
  const dead = deadTopicOf(topic);
  if (deadLetter && !(await admin.leaders(dead, signal)))
    await admin.createTopic(dead, { ...shape, settings: { 'retention.ms': String(deadLettersFor) } }, signal);
  if (fenced) {
    const kept = { ...shape, settings: { 'cleanup.policy': 'compact' } };
    const fenceTopic = fenceTopicOf(topic, group);
    if (!(await admin.leaders(fenceTopic, signal))) await admin.createTopic(fenceTopic, kept, signal);
  }
  const fences = fenced ? new Fences(driver, group) : undefined;
  const transactions = transactional ? new Transactions(driver, group) : undefined;
  const letters = deadLetter ? new DeadLetters(publisher, layout, group) : undefined;
  const stats = { ...noStats };
  const treatment = new Treatment({
    codec,
    handler,
    retry,
    burial: letters && transactional ? new TransactionalDeadLetters(letters) : letters,
    transactional,
    fences,
    seen: dedupe > 0 ? new Seen(dedupe) : undefined,
    stats,
    dropped: (partition, entry) => drop(group, partition, entry),
  });
  const guards = [fences, transactions].filter((guard) => guard !== undefined);
  const parts = { treatment, stats, guards, commits: transactions ?? offsetCommits };
  return Consumer.start(driver, [topic], settings, parts, signal);
}
