/** How values become bytes. The name is written beside them: what another serializer wrote counts as a miss. */
export type Serializer = TextSerializer | BinarySerializer;

interface Named {
  /** 1 to 32 letters, digits, dots and hyphens. */
  readonly name: string;
}

/** Writes text: it is read without its bytes being touched in between. */
export interface TextSerializer extends Named {
  /** Throws when it cannot write this value. */
  encode(value: unknown): string;
  parse(text: string): unknown;
}

export interface BinarySerializer extends Named {
  /** Throws when it cannot write this value. The bytes are copied: their memory may be used for the next value. */
  encode(value: unknown): Uint8Array;
  /** The bytes are gone afterwards: what is to stay of them must be copied. */
  decode(bytes: Buffer): unknown;
}
