import { InvalidArgumentError } from '@quorate/core';

/** What Consul takes for the name of a service that somebody else has registered: `my_service.v2`. */
export function checkService(argument: string, value: unknown): asserts value is string {
  if (typeof value === 'string' && value.length <= 512 && /^[^\s/?#%"\\]+$/.test(value) && !/^\.\.?$/.test(value))
    return;
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
  if (typeof value !== 'string' || value === '' || value.length > 512) {
    throw new InvalidArgumentError(argument, 'a string of 1 to 512 characters', value);
  }
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

/** A key without a slash in front, as Consul stores it. */
export function checkKey(argument: string, value: unknown): asserts value is string {
  if (typeof value === 'string' && /^[^/].{0,510}$/s.test(value)) return;
  throw new InvalidArgumentError(argument, 'a key of 1 to 511 characters that does not begin with a slash', value);
}
