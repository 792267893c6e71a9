import { decode, encode } from '@msgpack/msgpack';
import type { BinarySerializer } from './serializers/serializer.ts';

/** MessagePack: small, binary, and read in every language. `Date` stays what it is. Needs `@msgpack/msgpack`. */
export const messagePack: BinarySerializer = {
  name: 'message-pack',
  encode: (value) => encode(value),
  // A copy: bytes within the value are views of what they are read from, and would keep all of it in memory.
  decode: (bytes) => decode(Uint8Array.from(bytes)),
};
