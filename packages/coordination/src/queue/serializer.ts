/** How items become bytes. `decode` may refuse what it does not understand, by throwing. */
export interface Serializer<T> {
  encode(item: T): Uint8Array | string;
  decode(bytes: Buffer): T;
}

/** What JSON can say. What it cannot (undefined, functions, bigint) is refused rather than changed. */
// biome-ignore lint/suspicious/noExplicitAny: what comes out is what its users have put in.
export const json: Serializer<any> = {
  encode: (item: unknown): string => {
    const text: string | undefined = JSON.stringify(item);
    if (text === undefined) throw new TypeError(`JSON cannot represent a value of type ${typeof item}`);
    return text;
  },
  decode: (bytes): unknown => JSON.parse(bytes.toString()),
};
