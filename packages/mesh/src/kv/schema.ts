import { InvalidArgumentError } from '@quorate/core';
import type { StandardSchemaV1 } from '@standard-schema/spec';

/** A Standard Schema: zod, valibot, arktype and others have it. One whose validation waits is refused. */
export type Schema<T> = StandardSchemaV1<unknown, T>;

/** The value as the schema gives it back, or what is wrong with it and where. */
export function validated<T>(schema: Schema<T>, value: unknown): { readonly value: T } | { readonly wrong: string } {
  const result = schema['~standard'].validate(value);
  if (result instanceof Promise) throw new InvalidArgumentError('schema', 'one that validates at once');
  if (!result.issues) return { value: result.value };
  return { wrong: result.issues.map(({ path, message }) => `${place(path)}${message}`).join('; ') };
}

function place(path: StandardSchemaV1.Issue['path']): string {
  if (!path || path.length === 0) return '';
  const keys = path.map((part) => (typeof part === 'object' && part !== null && 'key' in part ? part.key : part));
  return `${keys.join('.')}: `;
}
