/** How values become bytes. The name is written beside them: what another serializer wrote counts as a miss. */
export interface Serializer {
  /** 1 to 32 letters, digits, dots and hyphens. */
  readonly name: string;
  /** Throws when it cannot write this value. */
  encode(value: unknown): string | Uint8Array;
  decode(bytes: Buffer): unknown;
}
