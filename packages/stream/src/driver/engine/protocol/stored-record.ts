import type { KafkaHeaders, ReadRecord } from '../../record.ts';
import { MalformedAnswerError } from './malformed-answer-error.ts';
import { Reader } from './reader.ts';

const empty = Buffer.alloc(0);
const none: KafkaHeaders = [];
/** What Kafka adds, for its time and its place. */
const overhead = 16;

/**
 * A record as it stands in a batch. It keeps its bytes, and makes the rest of them each time: thousands wait for a handler, and five
 * windows on the bytes of each take more memory than the bytes.
 */
export class StoredRecord implements ReadRecord {
  readonly offset: bigint;
  readonly timestamp: number;
  readonly #bytes: Buffer;

  /** Of what follows the numbers that a record begins with. Throws unless it is that, and nothing else. */
  constructor(offset: bigint, timestamp: number, bytes: Buffer) {
    this.offset = offset;
    this.timestamp = timestamp;
    this.#bytes = bytes;
    check(new Reader(bytes));
  }

  get size(): number {
    return this.#bytes.length + overhead;
  }

  get key(): Buffer | null {
    return field(new Reader(this.#bytes));
  }

  get value(): Buffer | null {
    const reader = new Reader(this.#bytes);
    skipField(reader);
    return field(reader);
  }

  get headers(): KafkaHeaders {
    const reader = new Reader(this.#bytes);
    skipField(reader);
    skipField(reader);
    return headersOf(reader);
  }
}

function check(reader: Reader): void {
  skipField(reader);
  skipField(reader);
  const count = reader.varint();
  // Each has two numbers at least.
  if (count < 0 || count * 2 > reader.left) throw new MalformedAnswerError(`a record has no room for ${count} headers`);
  for (let left = count; left > 0; left -= 1) {
    reader.skip(reader.varint());
    skipField(reader);
  }
  if (reader.left > 0) throw new MalformedAnswerError('a record is not as long as it says');
}

function skipField(reader: Reader): void {
  const length = reader.varint();
  if (length !== -1) reader.skip(length);
}

function field(reader: Reader): Buffer | null {
  const length = reader.varint();
  return length === -1 ? null : reader.raw(length);
}

function headersOf(reader: Reader): KafkaHeaders {
  const count = reader.varint();
  if (count === 0) return none;
  const headers: [name: string, value: Buffer][] = [];
  for (let left = count; left > 0; left -= 1) headers.push([reader.text(reader.varint()), field(reader) ?? empty]);
  return headers;
}
