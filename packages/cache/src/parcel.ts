import { Allowance } from './allowance.ts';
import { compress, decompress } from './compression.ts';
import type { Keeping } from './entry-options.ts';
import { InvalidValueError } from './errors/invalid-value-error.ts';
import { UnserializableError } from './errors/unserializable-error.ts';
import { freeze } from './local/freeze.ts';
import type { Settings } from './options.ts';
import type { Envelope } from './redis/envelope.ts';
import type { Serializer } from './serializers/serializer.ts';
import { structuredClone } from './serializers/structured-clone.ts';
import type { Schema, SchemaResult } from './standard-schema.ts';

/** A value as its serializer writes it. */
export interface Written {
  readonly plain: string | Uint8Array;
  readonly bytes: number;
}

/** What this process keeps of a value, see `Parcel.reveal`; and what that counts as: it may be more than in Redis. */
export interface Kept {
  readonly value: unknown;
  readonly bytes: number;
}

/** What goes to Redis, and what this process keeps, of a value that is new. */
export interface Checked {
  readonly written: Written;
  readonly kept: Kept;
}

export const nothingWritten: Checked = { written: { plain: '', bytes: 0 }, kept: { value: undefined, bytes: 0 } };

/** Turns values into what is kept of them, in this process and in Redis, and back. */
export class Parcel {
  readonly #settings: Settings;
  readonly #copied: boolean;
  readonly #frozen: boolean;

  constructor(settings: Settings) {
    this.#settings = settings;
    // Callers share what they wait for together, also where nothing is kept. What is read from text can be frozen.
    const values = settings.local?.values ?? ('parse' in settings.serializer ? 'frozen' : 'copied');
    this.#copied = values === 'copied';
    this.#frozen = values === 'frozen';
  }

  write(key: string, value: unknown, serializer: Serializer = this.#settings.serializer): Written {
    try {
      const encoded = serializer.encode(value);
      if (typeof encoded === 'string') {
        // As UTF-8 carries it: half a surrogate pair does not arrive as it was.
        const plain = encoded.toWellFormed();
        return { plain, bytes: Buffer.byteLength(plain) };
      }
      if (!(encoded instanceof Uint8Array)) throw new TypeError('it returned neither a string nor bytes');
      // It is sent later: another value may be in the memory of a serializer by then, unless it is ours.
      const plain = serializer === structuredClone ? encoded : Buffer.from(encoded);
      return { plain, bytes: plain.byteLength };
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

  /** A value that was loaded or set, as all will get it: the first caller too. Throws when it does not pass the schema. */
  async check(key: string, value: unknown, schema: Schema | undefined): Promise<Checked> {
    const written = this.write(key, value);
    if (schema === undefined) return { written, kept: this.own(written) };
    const result = await this.#validate(key, schema, written);
    if (result.issues) throw new InvalidValueError(key, result.issues[0]);
    // Readers check it again. Its output is written where it comes out as itself, else what was loaded: all get the same.
    const output = this.#writtenAgain(result.value);
    if (output !== undefined && !same(output, written)) {
      const again = await this.#validate(key, schema, output);
      const stays = again.issues ? undefined : this.#writtenAgain(again.value);
      if (!again.issues && stays !== undefined && same(stays, output)) {
        return { written: output, kept: this.#keepOutput(key, again.value, output) };
      }
    }
    return { written, kept: this.#keepOutput(key, result.value, output ?? written) };
  }

  /** What this process keeps of a value that it has written itself. */
  own({ plain, bytes }: Written): Kept {
    return this.#keep(plain, bytes);
  }

  /** What this process keeps of what came from Redis; undefined when it cannot be read. Mostly there is nothing to wait for. */
  open(envelope: Envelope, { schema }: Keeping): Opened | Promise<Opened> {
    if (envelope.absent) return nothingWritten.kept;
    if (!envelope.isBy(this.#settings.serializer.name)) return undefined;
    if (envelope.compressed || schema !== undefined) return this.#openSlowly(envelope, schema);
    try {
      const plain = 'parse' in this.#settings.serializer ? envelope.text : envelope.payload;
      return this.#keep(plain, envelope.payloadBytes);
    } catch {
      return undefined;
    }
  }

  /** What a caller gets of what was kept. */
  reveal(kept: unknown): unknown {
    if (!this.#copied || kept === undefined) return kept;
    return kept instanceof Clone ? structuredClone.decode(kept.bytes) : this.#decode(kept as string | Buffer);
  }

  /** Whether `reveal` has anything to do. */
  get veiled(): boolean {
    return this.#copied;
  }

  async #openSlowly(envelope: Envelope, schema: Schema | undefined): Promise<Opened> {
    const { maxValueBytes, serializer } = this.#settings;
    try {
      const payload = envelope.compressed ? await decompress(envelope.payload, maxValueBytes) : envelope.payload;
      const plain = 'parse' in serializer ? payload.toString() : payload;
      if (schema === undefined) return this.#keep(plain, payload.length);
      const written = { plain, bytes: payload.length };
      const result = await this.#validate('', schema, written);
      if (result.issues) return undefined;
      return this.#keepOutput('', result.value, written);
    } catch {
      return undefined;
    }
  }

  #keep(plain: string | Uint8Array, written: number): Kept {
    const bytes = sizeOf(plain, written);
    if (this.#copied) return { value: typeof plain === 'string' ? plain : ownBytes(plain), bytes };
    const value = this.#decode(plain);
    if (this.#frozen) freeze(value);
    return { value, bytes };
  }

  /** The same for what a schema gave; `written` is that, or what it was made of. */
  #keepOutput(key: string, value: unknown, { plain, bytes }: Written): Kept {
    if (this.#copied) {
      const clone = this.write(key, value, structuredClone);
      return { value: new Clone(ownBytes(clone.plain as Uint8Array)), bytes: clone.bytes };
    }
    if (this.#frozen) freeze(value);
    return { value, bytes: sizeOf(plain, bytes) };
  }

  #decode(plain: string | Uint8Array): unknown {
    const { serializer } = this.#settings;
    return 'parse' in serializer ? serializer.parse(String(plain)) : serializer.decode(view(plain as Uint8Array));
  }

  async #validate(key: string, schema: Schema, { plain }: Written): Promise<SchemaResult> {
    const answer = schema['~standard'].validate(this.#decode(plain));
    if (!('then' in answer)) return answer;
    // It may ask others, and hang with them.
    using allowance = new Allowance(this.#settings.loadTimeout, `${key}: its schema did not finish`);
    allowance.start();
    return await allowance.bound(() => answer);
  }

  /** Undefined where the output of a schema is something that the serializer does not write. */
  #writtenAgain(value: unknown): Written | undefined {
    try {
      return value === undefined ? undefined : this.write('', value);
    } catch {
      return undefined;
    }
  }
}

/** What takes so many bytes when it is written takes in memory: text has one byte for each character, or two when any of them needs it. */
function sizeOf(plain: string | Uint8Array, bytes: number): number {
  // As many bytes as characters: it is all ASCII, or no text.
  if (typeof plain !== 'string' || plain.length === bytes) return bytes;
  return beyondLatin1.test(plain) ? 2 * plain.length : plain.length;
}

const beyondLatin1 = /[^\0-\xff]/;

/** What a schema gave, to make copies of: what the serializer writes of a `Date` may be text when it is read. */
class Clone {
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
}

/** A copy with memory of its own: a view of a pool, or of what came from a socket, would keep all of that. */
function ownBytes(bytes: Uint8Array): Buffer {
  const own = Buffer.allocUnsafeSlow(bytes.byteLength);
  own.set(bytes);
  return own;
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function same({ plain: a }: Written, { plain: b }: Written): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b;
  return Buffer.compare(a, b) === 0;
}

/** Undefined: not to be read. The value may be undefined as well: then that is what is known. */
export type Opened = Kept | undefined;
