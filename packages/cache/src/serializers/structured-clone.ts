import { DefaultDeserializer, serialize } from 'node:v8';
import type { BinarySerializer } from './serializer.ts';

/** Bytes within a value would be views of all that they are read from. */
class Deserializer extends DefaultDeserializer {
  _readHostObject(): unknown {
    const view = (super['_readHostObject' as never] as () => ArrayBufferView).call(this);
    if (view instanceof DataView) {
      return new DataView(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
    }
    return Uint8Array.prototype.slice.call(view);
  }
}

/** The structured clone of V8: `Date`, `Map`, `Set`, `bigint` and bytes stay what they are. Only Node reads it. */
export const structuredClone: BinarySerializer = {
  name: 'structured-clone',
  encode: serialize,
  decode: (bytes) => {
    const reader = new Deserializer(bytes);
    reader.readHeader();
    return reader.readValue();
  },
};
