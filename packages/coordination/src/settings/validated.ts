import type { StandardSchemaV1 } from '@standard-schema/spec';
import { InvalidSettingsError } from '../errors/invalid-settings-error.ts';

/** What the schema makes of a value; an error that names everything wrong with it when it makes nothing of it. */
export async function validated<Schema extends StandardSchemaV1>(
  path: string,
  which: 'stored' | 'new',
  schema: Schema,
  value: unknown,
): Promise<StandardSchemaV1.InferOutput<Schema>> {
  const result = await schema['~standard'].validate(value);
  if (!result.issues) return result.value as StandardSchemaV1.InferOutput<Schema>;
  const issues = result.issues.map((issue) => ({ path: pathText(issue.path), message: issue.message }));
  throw new InvalidSettingsError(path, which, issues);
}

/** `zones[3].name`. */
function pathText(path: StandardSchemaV1.Issue['path'] = []): string {
  const keys = path.map((segment) => (typeof segment === 'object' ? segment.key : segment));
  return keys
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index > 0 ? '.' : ''}${String(key)}`))
    .join('');
}
