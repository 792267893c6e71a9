import type { Opened } from '../connection.ts';
import type { TopicShape } from '../driver/admin.ts';
import { UnknownTopicError } from '../errors/unknown-topic-error.ts';
import type { Codec } from '../topic/codec.ts';
import { offsetCommits } from './commits.ts';
import type { ConsumeSettings } from './consume-options.ts';
import { Consumer } from './consumer.ts';
import { DeadLetters, deadTopicOf, TransactionalDeadLetters } from './dead-letters.ts';
import { Fences, fenceTopicOf } from './fences.ts';
import { Later, laterTopicOf } from './later.ts';
import { largest, RecordLimits } from './record-limits.ts';
import { Seen } from './seen.ts';
import { noStats } from './stats.ts';
import { type Condemn, Transactions } from './transactions.ts';
import { Treatment } from './treatment.ts';

/** How long dead letters are kept where the topic for them is made here. */
const deadLettersFor = 30 * 86_400_000;

/** A letter says more than its message, which may be as large as its topic takes. */
const letterRoom = 16_384;
/** A topic takes no more, whatever one says. */
const most = 2 ** 31 - 1;

const retention = 'retention.ms';
const policy = 'cleanup.policy';
/** Whatever the brokers do by default: what is there is taken by its age alone. */
const byAge = { [policy]: 'delete', 'retention.bytes': '-1' };

/** A consumer with all that it needs; further topics that it needs are made when they are not there, in the shape of its own. */
export async function startConsumer(
  { driver, layout, publisher, tracing }: Opened,
  topic: string,
  codec: Codec,
  settings: ConsumeSettings,
  signal: AbortSignal,
): Promise<Consumer> {
  const { group, handler, retry, deadLetter, dedupe, fenced, transactional } = settings;
  const { admin } = driver;
  if (!(await admin.leaders(topic, signal))) throw new UnknownTopicError(topic);
  const make = async (name: string, wanted: (own: TopicShape['settings']) => TopicShape['settings']): Promise<void> => {
    if (await admin.leaders(name, signal)) return;
    const shape = await admin.describeTopic(topic, [largest, retention, policy], signal);
    if (!shape) throw new UnknownTopicError(topic);
    const roomy = String(Math.min(most, Number(shape.settings[largest]) + letterRoom));
    const settings = { [largest]: roomy, ...wanted(shape.settings) };
    await admin.createTopic(name, { ...shape, settings }, signal);
  };
  const laterTopic = laterTopicOf(topic, group);
  if (deadLetter) await make(deadTopicOf(topic), () => ({ ...byAge, [retention]: String(deadLettersFor) }));
  if (fenced) await make(fenceTopicOf(topic, group), () => ({ [policy]: 'compact' }));
  if (retry.outOfOrder)
    await make(laterTopic, (own) => ({ ...byAge, [retention]: String(waitingFor(own, retry.delay)) }));
  const fences = fenced ? new Fences(driver, group) : undefined;
  const limits = new RecordLimits(admin);
  const later = retry.outOfOrder ? new Later(publisher, layout, limits, topic, laterTopic, retry.delay) : undefined;
  const letters = deadLetter ? new DeadLetters(publisher, layout, limits, topic, group) : undefined;
  const stats = { ...noStats };
  const treatment = new Treatment({
    codec,
    handler,
    retry,
    later,
    burial: letters && transactional ? new TransactionalDeadLetters(letters) : letters,
    transactional,
    limits,
    fences,
    seen: dedupe > 0 ? new Seen(dedupe) : undefined,
    group,
    tracing,
    stats,
  });
  const condemn: Condemn = (partition, entry, error, until) => {
    // Others are told at once.
    if (error instanceof UnknownTopicError) layout.renew(error.topic);
    return treatment.condemn(partition, entry, error, until);
  };
  const transactions = transactional ? new Transactions(driver, group, condemn) : undefined;
  const guards = [fences, transactions].filter((guard) => guard !== undefined);
  const parts = { treatment, stats, guards, commits: transactions ?? offsetCommits };
  return Consumer.start(driver, later ? [topic, laterTopic] : [topic], settings, parts, signal);
}

/** How long messages are kept that are to be tried again: once due, for as long as others have to be handled; -1: for ever. */
function waitingFor(own: TopicShape['settings'], delay: number): number {
  const kept = Number(own[retention]);
  return kept < 0 || own[policy] === 'compact' ? -1 : Math.max(kept, deadLettersFor) + Math.ceil(delay);
}
