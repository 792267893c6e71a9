import type { TopicPartition } from '../record.ts';
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
      : ((await broker.connectionPool.send(request(groupId, byTopic))) as readonly Committed[]);
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

function request(groupId: string, topics: readonly (readonly [string, readonly TopicPartition[]])[]): ProtocolRequest {
  const body = Buffer.concat([
    // The package writes the header of earlier versions, which ends where this one has a list of tags.
    tags,
    compactText(groupId),
    compactArray(
      topics.map(([topic, partitions]) =>
        Buffer.concat([compactText(topic), compactArray(partitions.map(({ partition }) => int32(partition))), tags]),
      ),
    ),
    Buffer.from([1 /* require stable offsets */]),
    tags,
  ]);
  return {
    request: { apiKey, apiVersion, apiName: 'OffsetFetch', encode: async () => ({ buf: body, buffer: body }) },
    response: { decode: async (bytes) => decode(new Reader(bytes)), parse: async (decoded) => decoded },
  };
}

function decode(reader: Reader): readonly Committed[] {
  reader.tags();
  reader.skip(4 /* how long the client is to wait */);
  const topics = reader.array(() => {
    const topic = reader.text() ?? '';
    const partitions = reader.array(() => {
      const partition = reader.int32();
      const offset = String(reader.int64());
      reader.skip(4 /* epoch of the leader */);
      reader.text(/* what the commit said besides */);
      failed(reader.int16());
      reader.tags();
      return { partition, offset };
    });
    reader.tags();
    return { topic, partitions };
  });
  failed(reader.int16());
  return topics;
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

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  skip(bytes: number): void {
    this.#at += bytes;
  }

  int16(): number {
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  int64(): bigint {
    this.#at += 8;
    return this.#bytes.readBigInt64BE(this.#at - 8);
  }

  text(): string | undefined {
    const length = this.#varint() - 1;
    if (length < 0) return undefined;
    this.#at += length;
    return this.#bytes.toString('utf8', this.#at - length, this.#at);
  }

  array<T>(item: () => T): T[] {
    const length = this.#varint() - 1;
    return Array.from({ length: Math.max(0, length) }, item);
  }

  tags(): void {
    for (let left = this.#varint(); left > 0; left -= 1) {
      this.#varint();
      this.skip(this.#varint());
    }
  }

  #varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#bytes.readUInt8(this.#at);
      this.#at += 1;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }
}
