import { InvalidArgumentError } from '@quorate/core';
import { type CallOptions, checkPath, type ZooKeeper } from '@quorate/zookeeper';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { type AccessOptions, checkAccess } from './access.ts';
import { Cell } from './cell/cell.ts';
import { type AnySession, latestOfEach, perSession, sessionOf } from './each-session.ts';
import { InvalidSettingsError } from './errors/invalid-settings-error.ts';
import { WrongKindError } from './errors/wrong-kind-error.ts';
import { checkAnySession } from './given-session.ts';
import { validated } from './settings/validated.ts';
import { follow } from './watched/follow.ts';
import { streamed } from './watched/streamed.ts';

const kind = { what: 'settings', word: 'settings' };

/** A value and its place in the order of values. */
export interface Setting<Value> {
  readonly value: Value;
  /** The version of the node: larger for a later value, until the node is deleted. Undefined where nothing is stored. */
  readonly version: number | undefined;
}

export interface SettingsOptions<Value> extends AccessOptions {
  /** The value while nothing is stored. It is not written. */
  readonly default?: Value;
}

export interface SettingsWatchOptions extends CallOptions {
  /** Called with each value that is stored and not valid. The stream passes over them. What it throws ends the stream. */
  readonly invalid?: ((error: InvalidSettingsError | WrongKindError) => void) | undefined;
}

/**
 * One value of a known shape that many processes read and any of them may change. The shape is a Standard Schema, so a
 * schema of zod, valibot, arktype and others will do.
 *
 *     import { Settings } from '@quorate/coordination';
 *     import { connect } from '@quorate/zookeeper';
 *     import { z } from 'zod';
 *
 *     await using zk = await connect('localhost:2181');
 *     const schema = z.object({ surge: z.number().min(1) });
 *     const pricing = new Settings(zk, '/taxi/pricing', schema, { default: { surge: 1 } });
 *     await pricing.update(({ surge }) => ({ surge: surge + 0.5 }));
 *     for await (const { value, version } of pricing.watch()) console.log(version, value.surge);
 *
 * The value stands in the node as JSON, before a line that says who wrote last. People may edit it there and leave that
 * line out. What the schema takes in is stored, what it gives out is returned.
 *
 * Hazards:
 * - The function given to `update` is called again, with the newer value, each time somebody else was faster: let it do
 *   nothing but compute.
 * - When the connection breaks during an `update`, it waits for the next one and finds out whether the value was
 *   stored, so that nothing is applied twice. Where that cannot be found out - the session is lost, the call was
 *   aborted, the node was deleted, or 16 others have written since - the error is an `AmbiguousError`.
 * - What was read may be out of date the moment it is there: to change it use `update`, not `get` and `set`.
 * - Everybody must know the same schema. Where it changes, let the new one accept the old values first, everywhere.
 * - Do not delete the node while it is in use: versions begin again, and an update that was under way may replace a
 *   value it has not seen.
 * - `watch` needs servers of 3.6 or later.
 */
export class Settings<
  Schema extends StandardSchemaV1,
  Default extends StandardSchemaV1.InferOutput<Schema> | undefined = undefined,
> {
  readonly path: string;
  readonly #session: AnySession;
  readonly #in: (zk: ZooKeeper) => Cell;
  readonly #schema: Schema;
  readonly #default: Default;

  constructor(session: AnySession, path: string, schema: Schema, options: SettingsOptions<Default> = {}) {
    checkAnySession(session);
    checkSchema(schema);
    checkPath(path);
    checkAccess(options.acl);
    this.path = path;
    this.#session = session;
    this.#in = perSession((zk) => new Cell(zk, path, kind, options));
    this.#schema = schema;
    this.#default = options.default as Default;
  }

  /** The value now: every change that was confirmed before the call is in it. */
  async get({ signal }: CallOptions = {}): Promise<Setting<StandardSchemaV1.InferOutput<Schema> | Default>> {
    const cell = this.#in(await sessionOf(this.#session, signal));
    const { text, version } = await cell.read(signal);
    return await this.#setting(text, version);
  }

  /** Replaces the value by what `change` makes of it, once, whoever else does the same. Resolves with the new one. */
  async update(
    change: (
      value: StandardSchemaV1.InferOutput<Schema> | Default,
    ) => StandardSchemaV1.InferInput<Schema> | Promise<StandardSchemaV1.InferInput<Schema>>,
    { signal }: CallOptions = {},
  ): Promise<Setting<StandardSchemaV1.InferOutput<Schema>>> {
    if (typeof change !== 'function') throw new InvalidArgumentError('change', 'a function of the value', change);
    return await this.#update(async (text) => change((await this.#setting(text, undefined)).value), signal);
  }

  /** Replaces the value, whatever it is, also where what is stored is not valid. */
  async set(
    value: StandardSchemaV1.InferInput<Schema>,
    { signal }: CallOptions = {},
  ): Promise<Setting<StandardSchemaV1.InferOutput<Schema>>> {
    return await this.#update(() => value, signal);
  }

  /**
   * The value now, then each later one; a slow reader gets the newest only. Values that are not valid are passed over.
   * Throws when the session is lost, ends when it is closed; leaving the loop or aborting takes the watch back.
   */
  watch({
    signal,
    invalid,
  }: SettingsWatchOptions = {}): AsyncIterableIterator<
    Setting<StandardSchemaV1.InferOutput<Schema> | Default>,
    undefined
  > {
    // Also across sessions: what has not changed meanwhile is not told again.
    let last: string | undefined;
    return latestOfEach(this.#session, signal, (zk, either) =>
      streamed(either, (stream, over) =>
        follow(zk, this.path, {
          mode: 'persistent',
          signal: over,
          read: async () => {
            const { text, version } = await this.#in(zk).read(over);
            // Somebody may have changed what is no part of the value, or the change may have been read before.
            const seen = `${version} ${text}`;
            if (seen === last) return;
            last = seen;
            try {
              stream.push(await this.#setting(text, version));
            } catch (error) {
              if (!(error instanceof InvalidSettingsError || error instanceof WrongKindError)) throw error;
              invalid?.(error);
            }
          },
        }),
      ),
    );
  }

  async #update(
    change: (text: string | undefined) => unknown,
    signal: AbortSignal | undefined,
  ): Promise<Setting<StandardSchemaV1.InferOutput<Schema>>> {
    let value: StandardSchemaV1.InferOutput<Schema> | undefined;
    const cell = this.#in(await sessionOf(this.#session, signal));
    const { version } = await cell.update(async (before) => {
      const text = json(await change(before));
      // As those who read it will see it: a date, say, will be a string by then.
      value = await validated(this.path, 'new', this.#schema, text === undefined ? undefined : JSON.parse(text));
      if (text === undefined) throw new InvalidArgumentError('value', 'one that JSON can express');
      return text;
    }, signal);
    return { value: value as StandardSchemaV1.InferOutput<Schema>, version };
  }

  async #setting(
    text: string | undefined,
    version: number | undefined,
  ): Promise<Setting<StandardSchemaV1.InferOutput<Schema> | Default>> {
    if (text === undefined) return { value: this.#default, version };
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      // Not shown, nor the parser's words, which quote it: it may be a secret.
      throw new WrongKindError(this.path, kind.what, `${text.length} characters that are not JSON`);
    }
    return { value: await validated(this.path, 'stored', this.#schema, value), version };
  }
}

function json(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    throw new InvalidArgumentError('value', 'one that JSON can express, without cycles and bigints');
  }
}

function checkSchema(schema: StandardSchemaV1): void {
  const standard = (schema as Partial<StandardSchemaV1> | null | undefined)?.['~standard'];
  if (standard?.version === 1 && typeof standard.validate === 'function') return;
  throw new InvalidArgumentError('schema', 'a Standard Schema, such as one of zod, valibot or arktype');
}
