import type { TopicPartition } from '../record.ts';
import { Bytes } from './bytes.ts';
import { Answer } from './failure.ts';
import type { Broker, ProtocolRequest } from './kafkajs-package.ts';

const apiKey = 9;

/** The first version that can say that offsets of transactions which are not over yet are to be waited for. */
const apiVersion = 7;

/**
 * What a group has committed. The package asks in a version that ignores offsets which a transaction commits just now: a member that
 * takes a partition over would begin before them, and do again what the transaction has done. This asks in a later one, which
 * is refused with UNSTABLE_OFFSET_COMMIT until it is settled.
 */
export async function stableOffsets(
  broker: Broker,
  groupId: string,
  partitions: readonly TopicPartition[],
  undecided: 'wait' | 'ignore' = 'wait',
): Promise<Map<TopicPartition, bigint>> {
  const byTopic = [...Map.groupBy(partitions, ({ topic }) => topic)];
  const responses =
    (broker.versions?.[apiKey]?.maxVersion ?? 0) < apiVersion
      ? (
          await broker.offsetFetch({
            groupId,
            topics: byTopic.map(([topic, of]) => ({ topic, partitions: of.map(({ partition }) => ({ partition })) })),
          })
        ).responses
      : ((await broker.connectionPool.send(request(groupId, byTopic, undecided))) as readonly Committed[]);
  const found = new Map<TopicPartition, bigint>();
  for (const { topic, partitions: answers } of responses)
    for (const { partition, offset } of answers) {
      const asked = partitions.find((other) => other.topic === topic && other.partition === partition);
      if (asked && BigInt(offset) >= 0n) found.set(asked, BigInt(offset));
    }
  return found;
}

interface Committed {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly offset: string }[];
}

function request(
  groupId: string,
  topics: readonly (readonly [string, readonly TopicPartition[]])[],
  undecided: 'wait' | 'ignore',
): ProtocolRequest {
  const body = Buffer.concat([
    // The package writes the header of earlier versions, which ends where this one has a list of tags.
    tags,
    compactText(groupId),
    compactArray(
      topics.map(([topic, partitions]) =>
        Buffer.concat([compactText(topic), compactArray(partitions.map(({ partition }) => int32(partition))), tags]),
      ),
    ),
    Buffer.from([undecided === 'wait' ? 1 : 0]),
    tags,
  ]);
  return {
    request: { apiKey, apiVersion, apiName: 'OffsetFetch', encode: async () => ({ buf: body, buffer: body }) },
    response: { decode: async (bytes) => decode(bytes), parse: async (decoded) => decoded },
  };
}

function decode(answer: Buffer): readonly Committed[] {
  const bytes = new Bytes(answer);
  skipTags(bytes);
  bytes.skip(4 /* how long the client is to wait */);
  const topics = bytes.array(bytes.unsigned() - 1, () => {
    const topic = bytes.text(bytes.unsigned() - 1);
    const partitions = bytes.array(bytes.unsigned() - 1, () => {
      const partition = bytes.int32();
      const offset = String(bytes.int64());
      bytes.skip(4 /* epoch of the leader */);
      bytes.skip(Math.max(0, bytes.unsigned() - 1) /* what the commit said besides */);
      failed(bytes.int16());
      skipTags(bytes);
      return { partition, offset };
    });
    skipTags(bytes);
    return { topic, partitions };
  });
  failed(bytes.int16());
  return topics;
}

function skipTags(bytes: Bytes): void {
  for (let left = bytes.unsigned(); left > 0; left -= 1) {
    bytes.unsigned();
    bytes.skip(bytes.unsigned());
  }
}

function failed(code: number): void {
  if (code !== 0) throw new Answer(code);
}

const tags = Buffer.from([0]);

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** Seven bits at a time, the lowest first. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** Lengths are one more than they are: 0 stands for nothing at all. */
function compactText(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([varint(bytes.length + 1), bytes]);
}

function compactArray(items: readonly Buffer[]): Buffer {
  return Buffer.concat([varint(items.length + 1), ...items]);
}
