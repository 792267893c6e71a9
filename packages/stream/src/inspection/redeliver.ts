import type { Opened } from '../connection.ts';
import { deadTopicOf } from '../consuming/dead-letters.ts';
import type { Admin } from '../driver/admin.ts';
import type { ReadRecord, RecordBatch } from '../driver/record.ts';
import type { Transactor } from '../driver/transactor.ts';
import { UnknownTopicError } from '../errors/unknown-topic-error.ts';
import { partitionOf } from '../publishing/partitioner.ts';
import { readRanges } from '../reading/read-ranges.ts';
import { headerNames, headersByName } from '../topic/headers.ts';

/** What remembers how far it has come: a group that never has members. */
const redeliveryGroup = 'quorate-redelivery';

/** So many letters go in one transaction. */
const together = 500;
const transactionTimeout = 30_000;

const ofDeath: ReadonlySet<string> = new Set([
  headerNames.deadReason,
  headerNames.deadError,
  headerNames.deadTopic,
  headerNames.deadPartition,
  headerNames.deadOffset,
  headerNames.deadAttempts,
  headerNames.deadGroup,
]);

/** How far the redelivery of the dead letters of a topic has come, by partition. */
export async function redelivered(
  admin: Admin,
  topic: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, bigint>> {
  const offsets = await admin.committed(redeliveryGroup, [deadTopicOf(topic)], signal);
  return new Map(offsets.map(({ partition, offset }) => [partition, offset]));
}

/**
 * Sends the dead letters of a topic to it again, as they were: each once, however often it is called, and also when it is broken off. Resolves with how many it
 * has sent.
 */
export async function redeliver({ driver }: Opened, topic: string, signal: AbortSignal): Promise<number> {
  const { admin } = driver;
  const dead = deadTopicOf(topic);
  const [there, letters] = [await admin.leaders(topic, signal), await admin.leaders(dead, signal)];
  if (!there) throw new UnknownTopicError(topic);
  if (!letters) throw new UnknownTopicError(dead);
  let sent = 0;
  for (const partition of letters.keys()) {
    // Whoever is at it as well is fenced: then its transaction comes to nothing.
    const id = `${redeliveryGroup}.${dead}.${partition}`;
    const transactor = await driver.transactor(id, { timeout: transactionTimeout, signal });
    try {
      const from =
        (await redelivered(admin, topic, signal)).get(partition) ??
        (await admin.offsets(dead, 'earliest', signal)).get(partition) ??
        0n;
      const to = (await admin.offsets(dead, 'latest', signal)).get(partition) ?? 0n;
      const batch: ReadRecord[] = [];
      await readRanges(
        driver,
        dead,
        new Map([[partition, { from, to }]]),
        (_, record) => {
          batch.push(record);
          return undefined;
        },
        signal,
      );
      for (let first = 0; first < batch.length; first += together) {
        signal.throwIfAborted();
        const part = batch.slice(first, first + together);
        const next = (part.at(-1)?.offset ?? from) + 1n;
        await send(transactor, topic, there.length, part, { topic: dead, partition, offset: next });
        sent += part.length;
      }
    } finally {
      await transactor.close();
    }
  }
  return sent;
}

async function send(
  transactor: Transactor,
  topic: string,
  count: number,
  letters: readonly ReadRecord[],
  progress: { readonly topic: string; readonly partition: number; readonly offset: bigint },
): Promise<void> {
  const batches = new Map<number, ReadRecord[]>();
  for (const letter of letters) {
    const stood = Number(headersByName(letter.headers)[headerNames.deadPartition]);
    const by = letter.key === null ? 0 : partitionOf(letter.key, count);
    const to = Number.isInteger(stood) && stood >= 0 && stood < count ? stood : by;
    const headers = letter.headers.filter(([name]) => !ofDeath.has(name));
    const batch = batches.get(to) ?? [];
    batches.set(to, batch);
    batch.push({ ...letter, headers });
  }
  const list: RecordBatch[] = [...batches].map(([partition, records]) => ({ topic, partition, records }));
  await transactor.begin();
  await transactor.append(list);
  await transactor.sendOffsets(redeliveryGroup, [progress]);
  await transactor.commit();
}
