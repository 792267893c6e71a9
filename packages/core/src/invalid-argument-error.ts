import { QuorateError } from './quorate-error.ts';

/** A value was refused before anything was touched. The message names the argument and what was expected. */
export class InvalidArgumentError extends QuorateError {
  readonly argument: string;
  readonly expected: string;

  /** Leave `got` out for anything that may be a secret: it is shown, shortened. */
  constructor(argument: string, expected: string, ...got: readonly [got?: unknown]) {
    super(`${argument}: expected ${expected}${got.length === 0 ? '' : `, got ${shown(got[0])}`}`, {
      code: 'invalid-argument',
      happened: 'no',
    });
    this.argument = argument;
    this.expected = expected;
  }
}

// Not imported: where there is none, as inside a workflow of Temporal, the rest of this package works all the same.
const { inspect } = (globalThis.process as NodeJS.Process | undefined)?.getBuiltinModule?.('node:util') ?? {};

function shown(value: unknown): string {
  const text =
    inspect?.(value, { depth: 1, breakLength: Infinity, maxStringLength: 80, maxArrayLength: 8 }) ?? String(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
