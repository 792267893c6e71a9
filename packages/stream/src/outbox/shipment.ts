import { isQuorateError } from '@quorate/core';
import type { Opened } from '../connection.ts';
import type { KafkaRecord } from '../driver/record.ts';
import type { RefusedError } from '../errors/refused-error.ts';
import { partitionOf } from '../publishing/partitioner.ts';
import { ofOneMessage, type Publisher } from '../publishing/publisher.ts';

/** A message in the table. */
export interface Row {
  readonly seq: string;
  readonly topic: string;
  readonly partition: number | null;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly (readonly [string, string])[];
  readonly at: string;
}

/** Rows of one topic on their way to Kafka, and what became of them. */
export class Shipment {
  readonly topic: string;
  readonly published: Row[] = [];
  /** Those that the topic never takes, and why. */
  readonly refused: { readonly row: Row; readonly error: unknown }[] = [];
  /** Why the others were not published; undefined when there are no others. */
  trouble: unknown;

  constructor(topic: string) {
    this.topic = topic;
  }

  /** Each partition's in their order. Never rejects. */
  async send({ publisher, layout }: Opened, rows: readonly Row[]): Promise<void> {
    try {
      const { length } = await layout.of(this.topic);
      const parts = Map.groupBy(rows, (row) => placeOf(row, length));
      await Promise.all([...parts].map(([partition, theirs]) => this.#sendPart(publisher, partition, theirs)));
    } catch (error) {
      this.trouble = error;
    }
  }

  async #sendPart(publisher: Publisher, partition: number, rows: readonly Row[]): Promise<void> {
    const outcomes = await post(publisher, this.topic, partition, rows);
    for (const [index, row] of rows.entries()) {
      const error = outcomes[index];
      if (error === undefined) this.published.push(row);
      else if (isNever(error)) this.refused.push({ row, error });
      else this.trouble ??= error;
    }
  }
}

/** What went wrong with each. Once one has failed that is not done with, those behind it which are not on their way are called back: they would overtake it. */
function post(publisher: Publisher, topic: string, partition: number, rows: readonly Row[]): Promise<unknown[]> {
  const callBack = new AbortController();
  const sent = rows.map(
    (row) =>
      new Promise<unknown>((resolve) => {
        publisher.post(topic, partition, recordOf(row), callBack.signal, (error) => {
          if (error !== undefined && !isNever(error)) callBack.abort(error);
          resolve(error);
        });
      }),
  );
  return Promise.all(sent);
}

function placeOf({ seq, partition, key }: Row, count: number): number {
  if (partition !== null) return partition;
  return key === null ? Number(BigInt(seq) % BigInt(count)) : partitionOf(Buffer.from(key), count);
}

function recordOf({ key, value, headers, at }: Row): KafkaRecord {
  return {
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    headers: headers.map(([name, text]) => [name, Buffer.from(text, 'base64')]),
    timestamp: Number(at),
  };
}

/** However often it is tried. A topic that is not there can still be made. */
function isNever(error: unknown): boolean {
  if (isQuorateError(error, 'message-too-large')) return true;
  if (!isQuorateError(error, 'refused')) return false;
  const { reason } = error as RefusedError;
  return reason === 'UNKNOWN_TOPIC_OR_PARTITION' || ofOneMessage.has(reason);
}
