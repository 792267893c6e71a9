import type { Asked } from '../errors/server-error.ts';
import type { Reader } from '../jute/reader.ts';
import type { Writer } from '../jute/writer.ts';

/** One request and how to read its reply. */
export interface Operation<T> extends Asked {
  readonly code: number;
  /** Whether it changes anything on the server. What only reads may be sent again after its reply was lost; a write may not. */
  readonly writes: boolean;
  encode(writer: Writer): void;
  /** `zxid` is that of the reply: of a write, its own. */
  decode(reader: Reader, zxid: bigint): T;
}
