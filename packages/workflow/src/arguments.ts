import { InvalidArgumentError } from '@quorate/core';
import { text } from './workflows-options.ts';

/** The arguments of a workflow, a signal, a query or an update: left out where there are none. */
export type WithArguments<Arguments extends readonly unknown[]> = Arguments extends readonly [unknown, ...unknown[]]
  ? { readonly args: Readonly<Arguments> }
  : { readonly args?: Readonly<Arguments> };

export function checkArguments(args: unknown = []): unknown[] {
  if (Array.isArray(args)) return args;
  throw new InvalidArgumentError('args', 'a list of arguments', args);
}

/** Of a workflow that is given as a function, or by its name. */
export function typeOf(workflow: unknown): string {
  const type = typeof workflow === 'function' ? workflow.name : workflow;
  if (typeof type !== 'string' || type === '')
    throw new InvalidArgumentError('workflow', 'a function with a name, or the name of a workflow', workflow);
  return text('workflow', type);
}
