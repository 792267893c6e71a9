import { InvalidArgumentError } from '@quorate/core';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { textOf } from '../errors/text-of.ts';
import { checkSchema, type Schema, validated } from './schema.ts';

/** What a value has to be, by the version of the schema that its writer used. */
export interface Versions<Input = unknown, Output = Input> {
  /** The one that is written. */
  readonly latest: number;
  /**
   * What a reader gets of a value that was written by `version`: one of an older version is brought up; one of a newer version is held against our latest,
   * so that a reader that knows fewer fields goes on where the schema lets others pass.
   */
  readonly read: (value: unknown, version: number) => ReturnType<typeof validated<Output>>;
  /** For types only. */
  readonly '~input'?: Input;
}

/** An older schema, and how its values become those of the next version that is named. */
export interface OldVersion<Old = never> {
  readonly schema: Schema<never, Old>;
  readonly upgrade: (value: Old) => unknown;
}

/**
 * A schema that has changed, with what is needed to go on reading what was written before:
 *
 *     const ride = versions(3, Ride, {
 *       1: { schema: FirstRide, upgrade: (ride) => ({ ...ride, tip: 0 }) },
 *       2: { schema: SecondRide, upgrade: (ride) => ({ ...ride, tip: Number(ride.tip) }) },
 *     });
 *
 * Messages without a version, by writers who knew none yet, count as of the oldest.
 */
export function versions<Latest extends StandardSchemaV1>(
  latest: number,
  schema: Latest,
  // biome-ignore lint/suspicious/noExplicitAny: each entry has a type of its own
  older: Readonly<Record<number, OldVersion<any>>> = {},
): Versions<StandardSchemaV1.InferInput<Latest>, StandardSchemaV1.InferOutput<Latest>> {
  if (!(Number.isInteger(latest) && latest >= 1))
    throw new InvalidArgumentError('latest', 'a whole number of at least 1', latest);
  checkSchema('schema', schema);
  const known = Object.keys(older)
    .map(Number)
    .sort((a, b) => a - b);
  for (const version of known) {
    const { schema: old, upgrade } = older[version] ?? {};
    if (!(Number.isInteger(version) && version >= 1 && version < latest))
      throw new InvalidArgumentError('older', `versions from 1 to ${latest - 1}`, version);
    checkSchema(`older.${version}.schema`, old);
    if (typeof upgrade !== 'function')
      throw new InvalidArgumentError(`older.${version}.upgrade`, 'a function', upgrade);
  }
  const newest = schema as unknown as Schema<unknown, StandardSchemaV1.InferOutput<Latest>>;
  return {
    latest,
    read: (value, version) => {
      const from = version === 0 ? (known[0] ?? latest) : version;
      let current = value;
      for (const step of known) {
        const { schema: old, upgrade } = older[step] as OldVersion<unknown>;
        if (step < from) continue;
        const result = validated(old as unknown as Schema<unknown>, current);
        if (result.wrong !== undefined) return { wrong: `version ${step}: ${result.wrong}` };
        try {
          current = upgrade(result.value);
          if (isPromise(current)) return { wrong: `the upgrade from version ${step} gave a promise` };
        } catch (error) {
          return { wrong: `the upgrade from version ${step} threw ${textOf(error).slice(0, 200)}` };
        }
      }
      return validated(newest, current);
    },
  };
}

/** Whoever waits would be overtaken. What comes of it is of no interest, and not to end the process. */
function isPromise(value: unknown): boolean {
  if (typeof (value as Partial<PromiseLike<unknown>> | null)?.then !== 'function') return false;
  Promise.resolve(value).catch(() => {});
  return true;
}
