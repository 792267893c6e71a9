import { compress, decompress } from './compression.ts';
import type { Keeping } from './entry-options.ts';
import { UnserializableError } from './errors/unserializable-error.ts';
import { freeze } from './local/freeze.ts';
import type { Settings } from './options.ts';
import type { Envelope } from './redis/envelope.ts';

/** A value as its serializer writes it, or undefined where there is none. */
export interface Written {
  readonly plain: string | Uint8Array;
  readonly bytes: number;
}

/** Turns values into what is kept of them, in this process and in Redis, and back. */
export class Parcel {
  readonly #settings: Settings;
  readonly #copied: boolean;
  readonly #frozen: boolean;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#copied = settings.local?.values === 'copied';
    this.#frozen = settings.local?.values === 'frozen';
  }

  write(key: string, value: unknown): Written {
    const { serializer } = this.#settings;
    try {
      const plain = serializer.encode(value);
      if (typeof plain !== 'string' && !(plain instanceof Uint8Array))
        throw new TypeError('it returned neither a string nor bytes');
      return { plain, bytes: typeof plain === 'string' ? Buffer.byteLength(plain) : plain.byteLength };
    } catch (error) {
      throw new UnserializableError(
        key,
        serializer.name,
        error instanceof Error ? error.message : String(error),
        error,
      );
    }
  }

  /** What goes to Redis. */
  async pack(written: Written): Promise<{ readonly payload: string | Uint8Array; readonly compressed: boolean }> {
    if (written.bytes <= this.#settings.compressAbove) return { payload: written.plain, compressed: false };
    return { payload: await compress(written.plain), compressed: true };
  }

  /** What this process keeps of a value that it has written itself. The first caller gets what all others will get. */
  own(value: unknown, { plain }: Written): unknown {
    if (this.#settings.local?.values === 'shared') return value;
    return typeof plain === 'string' ? this.#keepText(plain) : this.#keepBytes(view(plain));
  }

  /** What this process keeps of what came from Redis; undefined when it cannot be read. Mostly there is nothing to wait for. */
  open(envelope: Envelope, { schema }: Keeping): Opened | Promise<Opened> {
    if (envelope.absent) return { value: undefined };
    if (!envelope.isBy(this.#settings.serializer.name)) return undefined;
    if (envelope.compressed || schema !== undefined) return this.#openSlowly(envelope, schema);
    try {
      return { value: this.#reads(envelope) };
    } catch {
      return undefined;
    }
  }

  /** What a caller gets of what was kept. */
  reveal(kept: unknown): unknown {
    return this.#copied && kept !== undefined ? this.#decode(kept as string | Buffer) : kept;
  }

  /** Whether `reveal` has anything to do. */
  get veiled(): boolean {
    return this.#copied;
  }

  #reads(envelope: Envelope): unknown {
    const isText = 'parse' in this.#settings.serializer;
    return isText ? this.#keepText(envelope.text) : this.#keepBytes(envelope.payload);
  }

  async #openSlowly(envelope: Envelope, schema: Keeping['schema']): Promise<Opened> {
    const { maxValueBytes, serializer } = this.#settings;
    try {
      const plain = envelope.compressed ? await decompress(envelope.payload, maxValueBytes) : envelope.payload;
      const written = 'parse' in serializer ? plain.toString() : plain;
      if (schema === undefined)
        return { value: typeof written === 'string' ? this.#keepText(written) : this.#keepBytes(written) };
      const result = await schema['~standard'].validate(this.#decode(written));
      if (result.issues) return undefined;
      if (this.#copied) {
        const again = serializer.encode(result.value);
        return { value: typeof again === 'string' ? again : Buffer.from(again) };
      }
      if (this.#frozen) freeze(result.value);
      return { value: result.value };
    } catch {
      return undefined;
    }
  }

  #keepText(text: string): unknown {
    return this.#copied ? text : this.#decoded(text);
  }

  #keepBytes(bytes: Buffer): unknown {
    // A copy: what came from a socket would keep all that came with it in memory.
    return this.#copied ? Buffer.from(bytes) : this.#decoded(bytes);
  }

  #decoded(written: string | Buffer): unknown {
    const value = this.#decode(written);
    if (this.#frozen) freeze(value);
    return value;
  }

  #decode(written: string | Buffer): unknown {
    const { serializer } = this.#settings;
    return 'parse' in serializer ? serializer.parse(String(written)) : serializer.decode(written as Buffer);
  }
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Undefined: not to be read. The value may be undefined as well: then that is what is known. */
export type Opened = { readonly value: unknown } | undefined;
