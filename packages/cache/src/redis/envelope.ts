/** What is kept in Redis of a value beside its bytes. Times are those of the Redis server, in milliseconds. */
export interface Header {
  /** Absent: the origin said that there is nothing. */
  readonly absent: boolean;
  readonly compressed: boolean;
  readonly serializer: string;
  readonly freshUntil: number;
  readonly staleUntil: number;
  /** How long the load took, in milliseconds. */
  readonly loadMs: number;
  /** What the clock of invalidations read before the load began: a tag that has a later one makes this invalid. */
  readonly clock: number;
  /** Unlike that of any other value. Below 0 when it was set, and above when it was loaded. */
  readonly token: number;
  readonly tags: readonly string[];
}

const magic = 0x51;
const format = 1;
const fixed = 48;
/** Where Lua finds the token: `claim` compares it. */
export const tokenOffset = 32;
const noTags: readonly string[] = [];

export function seal(header: Header, payload: string | Uint8Array): Buffer {
  const tags = header.tags.length === 0 ? '' : JSON.stringify(header.tags);
  const tagBytes = Buffer.byteLength(tags);
  const nameBytes = header.serializer.length;
  const start = fixed + nameBytes + tagBytes;
  const payloadBytes = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.byteLength;
  const bytes = Buffer.allocUnsafe(start + payloadBytes);
  bytes[0] = magic;
  bytes[1] = format;
  bytes[2] = (header.absent ? 1 : 0) | (header.compressed ? 2 : 0);
  bytes[3] = nameBytes;
  bytes.writeUInt32LE(Math.min(2 ** 32 - 1, Math.ceil(header.loadMs)), 4);
  bytes.writeDoubleLE(header.freshUntil, 8);
  bytes.writeDoubleLE(header.staleUntil, 16);
  bytes.writeDoubleLE(header.clock, 24);
  bytes.writeDoubleLE(header.token, tokenOffset);
  bytes.writeUInt32LE(tagBytes, 40);
  bytes.writeUInt32LE(payloadBytes, 44);
  bytes.write(header.serializer, fixed, 'latin1');
  bytes.write(tags, fixed + nameBytes);
  if (typeof payload === 'string') bytes.write(payload, start);
  else bytes.set(payload, start);
  return bytes;
}

/** Undefined for anything that is not whole: another program's value, half a value, another format. */
export function unseal(bytes: Buffer): Envelope | undefined {
  if (bytes.length < fixed || bytes[0] !== magic || bytes[1] !== format) return undefined;
  const afterName = fixed + (bytes[3] ?? 0);
  const tagBytes = bytes.readUInt32LE(40);
  const start = afterName + tagBytes;
  if (bytes.length !== start + bytes.readUInt32LE(44)) return undefined;
  if (!Number.isFinite(bytes.readDoubleLE(24))) return undefined;
  const tags = tagBytes === 0 ? noTags : readTags(bytes.toString('utf8', afterName, start));
  return tags && new Envelope(bytes, start, tags);
}

/** Each part is read when it is asked for: this is made for every hit, and most parts are not needed then. */
export class Envelope {
  readonly tags: readonly string[];
  /** Where the value begins. */
  readonly start: number;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer, start: number, tags: readonly string[]) {
    this.#bytes = bytes;
    this.start = start;
    this.tags = tags;
  }

  get absent(): boolean {
    return ((this.#bytes[2] ?? 0) & 1) !== 0;
  }

  get compressed(): boolean {
    return ((this.#bytes[2] ?? 0) & 2) !== 0;
  }

  get loadMs(): number {
    return this.#bytes.readUInt32LE(4);
  }

  get freshUntil(): number {
    return this.#bytes.readDoubleLE(8);
  }

  get staleUntil(): number {
    return this.#bytes.readDoubleLE(16);
  }

  get clock(): number {
    return this.#bytes.readDoubleLE(24);
  }

  /** As `claim` compares it. */
  get token(): Buffer {
    return tokenIn(this.#bytes);
  }

  /** The token as a whole number, for chance that is the same at each look. */
  get dice(): number {
    return this.#bytes.readUInt32LE(tokenOffset) ^ this.#bytes.readUInt32LE(tokenOffset + 4);
  }

  get payloadBytes(): number {
    return this.#bytes.length - this.start;
  }

  get payload(): Buffer {
    return this.#bytes.subarray(this.start);
  }

  get text(): string {
    return this.#bytes.toString('utf8', this.start);
  }

  isBy(serializer: string): boolean {
    if (this.#bytes[3] !== serializer.length) return false;
    for (let i = 0; i < serializer.length; i += 1) {
      if (this.#bytes[fixed + i] !== serializer.charCodeAt(i)) return false;
    }
    return true;
  }
}

/** The same of a token that is not in an envelope yet. */
export function diceOf(token: number): number {
  const [low = 0, high = 0] = new Uint32Array(Float64Array.of(token).buffer);
  return low ^ high;
}

/** The bytes at the place of the token, whatever it is that stands there. */
export function tokenIn(bytes: Buffer): Buffer {
  return Buffer.from(bytes.subarray(tokenOffset, tokenOffset + 8));
}

function readTags(text: string): readonly string[] | undefined {
  try {
    const tags: unknown = JSON.parse(text);
    return Array.isArray(tags) && tags.every((tag) => typeof tag === 'string') ? tags : undefined;
  } catch {
    return undefined;
  }
}
