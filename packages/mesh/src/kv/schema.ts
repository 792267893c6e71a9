import { InvalidArgumentError } from '@quorate/core';

/** Of the Standard Schema what is used here: zod, valibot, arktype and others have it. Validation that waits is refused. */
export interface Schema<T> {
  readonly '~standard': {
    readonly version: 1;
    readonly validate: (value: unknown) => unknown;
    readonly types?: { readonly input: unknown; readonly output: T } | undefined;
  };
}

interface Issue {
  readonly message: string;
  readonly path?: readonly unknown[] | undefined;
}

/** The value as the schema gives it back, or what is wrong with it and where. */
export function validated<T>(schema: Schema<T>, value: unknown): { readonly value: T } | { readonly wrong: string } {
  const result = schema['~standard'].validate(value) as { readonly value: T; readonly issues?: readonly Issue[] };
  if (result instanceof Promise) throw new InvalidArgumentError('schema', 'one that validates at once');
  if (!result.issues) return { value: result.value };
  return { wrong: result.issues.map(({ path, message }) => `${place(path)}${message}`).join('; ') };
}

function place(path: Issue['path']): string {
  if (!path || path.length === 0) return '';
  const keys = path.map((part) => (typeof part === 'object' && part !== null && 'key' in part ? part.key : part));
  return `${keys.join('.')}: `;
}
