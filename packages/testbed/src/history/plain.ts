import { InvalidArgumentError } from '@quorate/core';

/** What a history can hold and still be the same after it was saved and loaded. */
export type Plain = null | boolean | number | bigint | string | readonly Plain[] | { readonly [name: string]: Plain };

const maxDepth = 16;
/** Reading a longer number takes time that grows with the square of its length. */
const maxDigits = 1_000;
const digits = new RegExp(`^-?\\d{1,${maxDigits}}$`);
const tooLarge = 10n ** BigInt(maxDigits);

/**
 * A copy of `value` as plain data, so that changing the original later cannot change what was recorded. `undefined`
 * becomes `null` at the top and in lists, and is left out of objects. Anything else is refused with its path.
 */
export function plain(value: unknown, path = 'value', depth = 0): Plain {
  if (value === undefined || value === null) return null;
  if (typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'bigint') return plainBigint(value, path);
  if (typeof value === 'number') return value;
  if (typeof value !== 'object') throw new InvalidArgumentError(path, 'plain data', value);
  if (depth === maxDepth) throw new InvalidArgumentError(path, `data at most ${maxDepth} levels deep`);
  if (Array.isArray(value)) return value.map((item, index) => plain(item, `${path}[${index}]`, depth + 1));
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new InvalidArgumentError(path, 'plain data: text, numbers, bigints, lists and simple objects', value);
  }
  const copy: [string, Plain][] = [];
  for (const [name, item] of Object.entries(value)) {
    if (item !== undefined) copy.push([name, plain(item, `${path}.${name}`, depth + 1)]);
  }
  return Object.fromEntries(copy);
}

export function plainBigint(value: bigint, path: string): bigint {
  // Without the number: writing it takes as long.
  if (value >= tooLarge || value <= -tooLarge) {
    throw new InvalidArgumentError(path, `a bigint of at most ${maxDigits.toLocaleString('en')} digits`);
  }
  return value;
}

/** One text for each value, whatever the order of its fields: equal values have equal texts. */
export function textOf(value: Plain | undefined): string {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object') return String(value);
  if (isList(value)) return `[${value.map(textOf).join(',')}]`;
  const fields = Object.keys(value).sort();
  return `{${fields.map((name) => `${JSON.stringify(name)}:${textOf(value[name])}`).join(',')}}`;
}

/** The named field of an object, or undefined for anything that has none. */
export function fieldOf(value: Plain | undefined, name: string): Plain | undefined {
  if (typeof value !== 'object' || value === null || isList(value)) return undefined;
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

export function isList(value: Plain | undefined): value is readonly Plain[] {
  return Array.isArray(value);
}

// JSON has no bigint, NaN or infinity. They travel as an object with one field whose name starts with `$`; a name
// of the caller's own that starts with `$` gets another one in front, so the two are never mistaken.
export function toJson(value: Plain): unknown {
  if (typeof value === 'bigint') return { $bigint: String(value) };
  if (typeof value === 'number') {
    return Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : { $number: Object.is(value, -0) ? '-0' : `${value}` };
  }
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) return value.map(toJson);
  const entries = Object.entries(value).map(([name, item]) => [name.startsWith('$') ? `$${name}` : name, toJson(item)]);
  return Object.fromEntries(entries);
}

/** The opposite of `toJson`. Throws a `TypeError` that says what is wrong. */
export function fromJson(value: unknown, depth = 0): Plain {
  if (typeof value !== 'object' || value === null) return value as Plain;
  const entries = Array.isArray(value) ? [] : Object.entries(value);
  const [first] = entries;
  // An object in JSON only, so it may be one level deeper than those of the caller.
  if (entries.length === 1 && first !== undefined && first[0].startsWith('$') && !first[0].startsWith('$$')) {
    return special(first[0], first[1]);
  }
  if (depth > maxDepth) throw new TypeError(`data more than ${maxDepth} levels deep`);
  if (Array.isArray(value)) return value.map((item) => fromJson(item, depth + 1));
  return Object.fromEntries(
    entries.map(([name, item]) => {
      if (name.startsWith('$') && !name.startsWith('$$')) throw new TypeError(`unknown field ${name}`);
      return [name.startsWith('$') ? name.slice(1) : name, fromJson(item, depth + 1)];
    }),
  );
}

function special(name: string, text: unknown): Plain {
  if (name === '$bigint' && typeof text === 'string' && digits.test(text)) return BigInt(text);
  if (name === '$number' && ['NaN', 'Infinity', '-Infinity', '-0'].includes(text as string)) return Number(text);
  throw new TypeError(`${name} with a value that cannot be read`);
}
