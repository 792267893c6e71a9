import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

/** A request in the one version in which every broker from Kafka 3.1 on takes it. */
export interface Request<Ask, Answer> {
  /** By Kafka's name. */
  readonly name: string;
  readonly key: number;
  readonly version: number;
  readonly tagged: { readonly request: boolean; readonly answer: boolean };
  readonly write: (writer: Writer, ask: Ask) => void;
  readonly read: (reader: Reader) => Answer;
}
