import { InvalidArgumentError } from '@quorate/core';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { textOf } from '../errors/text-of.ts';

/** A Standard Schema: zod, valibot, arktype and others have it. One whose validation waits is refused: messages would overtake one another. */
export type Schema<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output>;

/** The value as the schema gives it back, or what is wrong with it and where. A schema that throws counts as one that refuses. */
export function validated<Output>(
  schema: Schema<unknown, Output>,
  value: unknown,
): { readonly value: Output; readonly wrong?: undefined } | { readonly wrong: string } {
  let result: ReturnType<Schema<unknown, Output>['~standard']['validate']>;
  try {
    result = schema['~standard'].validate(value);
  } catch (error) {
    return { wrong: `the schema threw ${textOf(error).slice(0, 200)}` };
  }
  if (typeof result !== 'object' || result === null) return { wrong: 'the schema gave no result' };
  if ('then' in result) {
    Promise.resolve(result).catch(() => {});
    throw new InvalidArgumentError('schema', 'one that validates at once');
  }
  if (!result.issues) return { value: result.value };
  const wrong = result.issues.map(({ path, message }) => `${place(path)}${message}`).join('; ');
  return { wrong: wrong.slice(0, 1_000) };
}

export function checkSchema(name: string, schema: unknown): void {
  const standard = (schema as Partial<Schema> | null | undefined)?.['~standard'];
  if (standard?.version === 1 && typeof standard.validate === 'function') return;
  // Not shown: a schema is a large object.
  throw new InvalidArgumentError(name, 'a Standard Schema, such as those of Zod, Valibot or ArkType');
}

function place(path: StandardSchemaV1.Issue['path']): string {
  if (!path || path.length === 0) return '';
  const keys = path.map((part) => (typeof part === 'object' && part !== null && 'key' in part ? part.key : part));
  return `${keys.map(String).join('.')}: `;
}
