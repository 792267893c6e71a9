import { types } from 'node:util';
import { InvalidArgumentError } from '@quorate/core';

const expected =
  'plain data (also undefined, bigint, Date, Map, Set, URL and bytes); for anything else give the option key, a function that makes a string of the arguments';

/**
 * Arguments as text: the same for equal ones, another for any two that can be told apart. What is plain JSON is written as
 * JSON, with the names of objects in order. The rest looks like nothing that JSON can write.
 */
export function wrapKey(args: readonly unknown[]): string {
  const within = new Set<unknown>();
  const parts = args.map((arg, index) => written(arg, `arguments[${index}]`, within));
  return `[${parts.join()}]`;
}

function written(value: unknown, place: string, within: Set<unknown>): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'bigint':
      return `${value}n`;
    case 'boolean':
    case 'undefined':
      return String(value);
    case 'object':
      return value === null ? 'null' : ofObject(value, place, within);
    default:
      throw new InvalidArgumentError(place, expected, value);
  }
}

function ofObject(value: object, place: string, within: Set<unknown>): string {
  if (within.has(value)) throw new InvalidArgumentError(place, `${expected}; it contains itself`);
  within.add(value);
  const text = Array.isArray(value)
    ? ofList(value, place, within)
    : (ofPlain(value, place, within) ?? ofKnown(value, place, within));
  if (text === undefined) throw new InvalidArgumentError(place, expected, value);
  within.delete(value);
  return text;
}

function ofList(list: readonly unknown[], place: string, within: Set<unknown>): string | undefined {
  if (Reflect.ownKeys(list).some((key) => key !== 'length' && !/^\d+$/.test(String(key)))) return undefined;
  // A hole is nothing, and nothing else is.
  const parts = Array.from(list, (item, index) => (index in list ? written(item, `${place}[${index}]`, within) : ''));
  return parts.length > 0 && !(parts.length - 1 in list) ? `[${parts.join()},]` : `[${parts.join()}]`;
}

function ofPlain(value: object, place: string, within: Set<unknown>): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  if ((prototype !== Object.prototype && prototype !== null) || Object.getOwnPropertySymbols(value).length > 0) {
    return undefined;
  }
  const parts = Object.keys(value)
    .sort()
    .map((name) => {
      const at = /^[\w$]+$/.test(name) ? `${place}.${name}` : `${place}[${JSON.stringify(name)}]`;
      return `${JSON.stringify(name)}:${written((value as Record<string, unknown>)[name], at, within)}`;
    });
  return `{${parts.join()}}`;
}

/** Of the language's own classes, not of those derived from them: nobody knows what those hold. */
function ofKnown(value: object, place: string, within: Set<unknown>): string | undefined {
  const part = (one: unknown): string => written(one, place, within);
  if (Object.keys(value).length > 0 && !types.isTypedArray(value)) return undefined;
  switch (Object.getPrototypeOf(value)) {
    case Date.prototype:
      return `Date(${(value as Date).getTime()})`;
    case URL.prototype:
      return `URL(${JSON.stringify((value as URL).href)})`;
    case Set.prototype:
      return `Set(${Array.from(value as Set<unknown>, part)
        .sort()
        .join()})`;
    case Map.prototype:
      return `Map(${Array.from(value as Map<unknown, unknown>, ([key, one]) => `${part(key)}:${part(one)}`)
        .sort()
        .join()})`;
    case Uint8Array.prototype:
      return `Uint8Array(${Buffer.from((value as Uint8Array).slice()).toString('base64')})`;
    case Buffer.prototype:
      return `Buffer(${(value as Buffer).toString('base64')})`;
    default:
      return undefined;
  }
}
