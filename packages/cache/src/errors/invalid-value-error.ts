import { QuorateError } from '@quorate/core';

/** The value that was loaded or set does not pass the schema. It was not kept. The message is the schema's own. */
export class InvalidValueError extends QuorateError {
  readonly key: string;
  /** Where in the value, such as `zones[0].name`; empty for the value itself. */
  readonly path: string;

  /** `issue` is one of those that a Standard Schema gives. */
  constructor(key: string, issue: unknown) {
    const { message, path } = (issue ?? {}) as { readonly message?: unknown; readonly path?: unknown };
    const where = Array.isArray(path) ? pathOf(path) : '';
    const what = typeof message === 'string' && message !== '' ? message.slice(0, 200) : 'it does not pass';
    super(`${key}: the schema refuses the value: ${where === '' ? '' : `${where}: `}${what}; it was not kept`, {
      code: 'invalid-value',
      happened: 'no',
    });
    this.key = key;
    this.path = where;
  }
}

function pathOf(path: readonly unknown[]): string {
  const names = path.map((part) => (typeof part === 'object' && part !== null && 'key' in part ? part.key : part));
  return names
    .map((name) => (typeof name === 'number' ? `[${name}]` : `.${String(name)}`))
    .join('')
    .replace(/^\./, '');
}
