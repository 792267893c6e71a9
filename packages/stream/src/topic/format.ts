/** How values become bytes, and bytes values. */
export interface Format<Value = unknown> {
  /** Told in the header `content-type`. */
  readonly contentType: string;
  readonly encode: (value: Value) => Uint8Array;
  /** Throws for bytes that are none of its values. */
  readonly decode: (bytes: Uint8Array) => Value;
}

const strict = new TextDecoder('utf-8', { fatal: true });

/** JSON in UTF-8; bytes that are not UTF-8 are refused rather than mended. */
export const json: Format = {
  contentType: 'application/json',
  encode: (value) => {
    const text = JSON.stringify(value);
    if (text === undefined) throw new TypeError('a value that JSON knows was expected');
    return Buffer.from(text);
  },
  decode: (bytes) => JSON.parse(strict.decode(bytes)),
};

/** As it is. */
export const bytes: Format<Uint8Array> = {
  contentType: 'application/octet-stream',
  encode: (value) => {
    if (!(value instanceof Uint8Array)) throw new TypeError('a Uint8Array was expected');
    return value;
  },
  decode: (value) => value,
};
