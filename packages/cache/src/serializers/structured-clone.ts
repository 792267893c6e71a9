import { deserialize, serialize } from 'node:v8';
import type { BinarySerializer } from './serializer.ts';

/** The structured clone of V8: `Date`, `Map`, `Set`, `bigint` and bytes stay what they are. Only Node reads it. */
export const structuredClone: BinarySerializer = {
  name: 'structured-clone',
  encode: serialize,
  decode: (bytes) => deserialize(bytes),
};
