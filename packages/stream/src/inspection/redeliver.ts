import { isQuorateError } from '@quorate/core';
import type { Opened } from '../connection.ts';
import { deadTopicOf } from '../consuming/dead-letters.ts';
import { type KafkaHeaders, type KafkaRecord, type ReadRecord, type RecordBatch, sizeOf } from '../driver/record.ts';
import type { Transactor } from '../driver/transactor.ts';
import { UnknownTopicError } from '../errors/unknown-topic-error.ts';
import { partitionOf } from '../publishing/partitioner.ts';
import { readTopic } from '../reading/read-topic.ts';
import { headerNames, headersByName, isMark, publishedAt } from '../topic/headers.ts';
import { markOf, redelivered, redeliveryGroup } from './redelivered.ts';

/** So much goes in one transaction, unless a single letter is more. */
const together = { letters: 500, bytes: 512 * 1024 } as const;
const transactionTimeout = 30_000;

const { published } = headerNames;

/** What its death has added, and before that its way to be tried later. */
const added: ReadonlySet<string> = new Set([
  headerNames.deadReason,
  headerNames.deadError,
  headerNames.deadTopic,
  headerNames.deadPartition,
  headerNames.deadOffset,
  headerNames.deadAttempts,
  headerNames.deadGroup,
  headerNames.originTopic,
  headerNames.originPartition,
  headerNames.originOffset,
  headerNames.attempts,
  headerNames.due,
]);

/** Of one that was cut only the beginning is there: to its topic it cannot go again. */
export function isWhole(headers: KafkaHeaders): boolean {
  return headers.every(([name]) => name !== headerNames.deadCut);
}

/**
 * Sends the dead letters of a topic to it again, as they were, but for those that were cut: each once, however often it is called, and also when it is broken off. Resolves with how many it
 * has sent.
 */
export async function redeliver({ driver }: Opened, topic: string, signal: AbortSignal): Promise<number> {
  const { admin } = driver;
  const dead = deadTopicOf(topic);
  const [leaders, deadLeaders] = [await admin.leaders(topic, signal), await admin.leaders(dead, signal)];
  if (!leaders) throw new UnknownTopicError(topic);
  if (!deadLeaders) throw new UnknownTopicError(dead);
  let sent = 0;
  for (const partition of deadLeaders.keys()) {
    // Whoever is at it as well is fenced: then its transaction comes to nothing.
    const id = `${redeliveryGroup}.${dead}.${partition}`;
    const transactor = await driver.transactor(id, { timeout: transactionTimeout, signal });
    try {
      const begin = (await admin.offsets(dead, 'earliest', signal)).get(partition) ?? 0n;
      const to = (await admin.offsets(dead, 'latest', signal)).get(partition) ?? 0n;
      const all = new Map([[partition, { from: begin, to }]]);
      const from = (await redelivered(driver, topic, all, signal)).get(partition) ?? begin;
      const range = { from: new Map([[partition, from]]), to: new Map([[partition, to]]) };
      const letters: Letters = { transactor, topic, count: leaders.length, dead, partition };
      for await (const part of inParts(dead, readTopic(driver, dead, range, signal))) {
        signal.throwIfAborted();
        await send(letters, part);
        sent += part.filter(({ headers }) => isWhole(headers)).length;
      }
    } finally {
      await transactor.close();
    }
  }
  return sent;
}

interface Letters {
  readonly transactor: Transactor;
  /** Where they go, and how many partitions it has. */
  readonly topic: string;
  readonly count: number;
  /** Where they are. */
  readonly dead: string;
  readonly partition: number;
}

async function* inParts(
  dead: string,
  letters: AsyncIterable<{ readonly record: ReadRecord }>,
): AsyncGenerator<ReadRecord[], void> {
  let part: ReadRecord[] = [];
  let bytes = 0;
  for await (const { record } of letters) {
    if (isMark(dead, record)) continue;
    const size = sizeOf(record);
    if (part.length === together.letters || (part.length > 0 && bytes + size > together.bytes)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(record);
    bytes += size;
  }
  if (part.length > 0) yield part;
}

/** In two parts, where the topic takes less at a time than there is. */
async function send(letters: Letters, part: readonly ReadRecord[]): Promise<void> {
  try {
    await sendTogether(letters, part, true);
  } catch (error) {
    if (!isQuorateError(error, 'message-too-large')) throw error;
    await letters.transactor.abort();
    // It was as large as the topic takes: for a header more there is no room.
    if (part.length === 1) return await sendTogether(letters, part, false);
    const half = part.length >> 1;
    await send(letters, part.slice(0, half));
    await send(letters, part.slice(half));
  }
}

async function sendTogether(
  { transactor, topic, count, dead, partition }: Letters,
  part: readonly ReadRecord[],
  saysWhen: boolean,
): Promise<void> {
  const batches = new Map<number, KafkaRecord[]>();
  for (const letter of part) {
    const { key, value, headers: all } = letter;
    if (!isWhole(all)) continue;
    const stood = Number(headersByName(all)[headerNames.deadPartition]);
    const by = key === null ? 0 : partitionOf(key, count);
    const to = Number.isInteger(stood) && stood >= 0 && stood < count ? stood : by;
    const own = all.filter(([name]) => !added.has(name) && name !== published);
    const when = [published, Buffer.from(String(publishedAt(letter)))] as const;
    const headers = saysWhen ? [...own, when] : own;
    const batch = batches.get(to) ?? [];
    batches.set(to, batch);
    batch.push({ key, value, headers, timestamp: Date.now() });
  }
  const list: RecordBatch[] = [...batches].map(([partition, records]) => ({ topic, partition, records }));
  const next = (part.at(-1)?.offset ?? -1n) + 1n;
  list.push({ topic: dead, partition, records: [markOf(next)] });
  await transactor.begin();
  await transactor.append(list);
  await transactor.sendOffsets(redeliveryGroup, [{ topic: dead, partition, offset: next }]);
  await transactor.commit();
}
