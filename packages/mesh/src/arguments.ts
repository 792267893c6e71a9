import { isIPv6 } from 'node:net';
import { InvalidArgumentError } from '@quorate/core';

/** What Consul refuses in a path, whatever it accepted in a body before; halves of characters among it. */
const unprintable = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}]|(?! )\p{Z}/u;

/** What can stand between two slashes. */
function inPaths(value: string): boolean {
  return !unprintable.test(value) && !/^\.\.?$/.test(value);
}

/** What Consul takes for the name of a service that somebody else has registered: `my_service.v2`. */
export function checkService(argument: string, value: unknown): asserts value is string {
  if (typeof value === 'string' && value.length <= 512 && /^[^\s/?#%"\\]+$/.test(value) && inPaths(value)) return;
  throw new InvalidArgumentError(
    argument,
    'the name of a service: 1 to 512 characters without spaces, quotes and slashes',
    value,
  );
}

/** The name of a service of ours goes into URLs, certificates and DNS names. */
export function checkName(argument: string, value: unknown): asserts value is string {
  if (typeof value !== 'string' || !/^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/.test(value)) {
    throw new InvalidArgumentError(argument, 'letters, digits and dashes, 1 to 63 of them', value);
  }
}

export function checkPort(argument: string, value: unknown): asserts value is number {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > 65_535) {
    throw new InvalidArgumentError(argument, 'a port from 1 to 65535', value);
  }
}

export function checkText(argument: string, value: unknown): asserts value is string {
  if (typeof value !== 'string' || value === '' || value.length > 512 || !value.isWellFormed()) {
    throw new InvalidArgumentError(argument, 'a well-formed string of 1 to 512 characters', value);
  }
}

/** Consul accepts any id in a registration. One that it takes in no path could never be deregistered. */
export function checkInstance(argument: string, value: unknown): asserts value is string {
  checkText(argument, value);
  if (!inPaths(value)) throw new InvalidArgumentError(argument, 'printable characters, and not "." or ".."', value);
}

/** Where others connect to: a name or an IP address, without a port. */
export function checkAddress(argument: string, value: unknown): asserts value is string {
  checkText(argument, value);
  const host = isIPv6(value) ? `[${value}]` : value;
  if ((isIPv6(value) || /^[\p{L}\p{M}\p{N}._-]+$/u.test(value)) && URL.canParse(`http://${host}`)) return;
  throw new InvalidArgumentError(argument, 'the name of a host or an IP address, without a port', value);
}

export function checkNumber(argument: string, value: unknown, least: number, most: number): asserts value is number {
  if (typeof value === 'number' && value >= least && value <= most) return;
  throw new InvalidArgumentError(argument, `a number from ${least} to ${most}`, value);
}

export function checkTexts(argument: string, value: unknown): asserts value is readonly string[] {
  if (!Array.isArray(value)) throw new InvalidArgumentError(argument, 'a list of strings', value);
  value.forEach((text, index) => {
    checkText(`${argument}[${index}]`, text);
  });
}

/** Consul cleans the path of a key, and reads or writes the one that remains: what it would change is none. */
export function checkKey(argument: string, value: unknown): asserts value is string {
  if (value !== '') return checkPrefix(argument, value);
  throw new InvalidArgumentError(argument, 'a key of 1 to 511 characters', value);
}

/** How keys begin: as a key, or in any way. A slash at the end is part of it. */
export function checkPrefix(argument: string, value: unknown): asserts value is string {
  const cleaned = /(?:^|\/)\.{0,2}\/|(?:^|\/)\.{1,2}$/;
  if (typeof value === 'string' && value.length <= 511 && !unprintable.test(value) && !cleaned.test(value)) return;
  const expected = 'at most 511 printable characters, without a slash in front, "//", "." or ".." between slashes';
  throw new InvalidArgumentError(argument, expected, value);
}
