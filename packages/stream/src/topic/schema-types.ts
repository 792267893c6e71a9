import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Versions } from './versions.ts';

/** What a key is to a handler. */
export type KeyOf<Key> = [Key] extends [never]
  ? string | null
  : Key extends StandardSchemaV1
    ? StandardSchemaV1.InferOutput<Key>
    : string | null;

/** What a value is to whoever sends it. */
export type InputOf<Value> = [Value] extends [never]
  ? unknown
  : Value extends Versions<infer Input, unknown>
    ? Input
    : Value extends StandardSchemaV1
      ? StandardSchemaV1.InferInput<Value>
      : unknown;

/** What a value is to whoever gets it. */
export type OutputOf<Value> = [Value] extends [never]
  ? unknown
  : Value extends Versions<unknown, infer Output>
    ? Output
    : Value extends StandardSchemaV1
      ? StandardSchemaV1.InferOutput<Value>
      : unknown;
