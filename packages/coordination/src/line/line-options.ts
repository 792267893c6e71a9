import { hostname } from 'node:os';
import { InvalidArgumentError } from '@quorate/core';
import type { AccessOptions } from '../access.ts';
import type { OnSuspended } from '../lease/hold.ts';

export interface LineOptions extends AccessOptions {
  /** What others see in `holders()` and `waiters()`. Default: host and process. */
  readonly id?: string | undefined;
  /** What becomes of a lease when the connection breaks. Default `stop`. */
  readonly onSuspended?: OnSuspended | undefined;
}

const longestId = 256;

export function checkId(id: unknown): string {
  // A line break would end it where somebody else reads it.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  if (typeof id === 'string' && id !== '' && id.length <= longestId && !/[\u0000-\u001f]/.test(id)) return id;
  throw new InvalidArgumentError('id', `a name of 1 to ${longestId} characters on one line`, id);
}

export function defaultId(): string {
  return `${hostname()}/${process.pid}`;
}

export function checkOnSuspended(onSuspended: unknown): OnSuspended {
  if (onSuspended === 'stop' || onSuspended === 'wait') return onSuspended;
  throw new InvalidArgumentError('onSuspended', '"stop" or "wait"', onSuspended);
}
