import { types } from 'node:util';
import { InvalidArgumentError } from '@quorate/core';
import { longestKey } from './key.ts';

const deepest = 200;

const wayOut = 'for anything else give the option key, a function that makes a string of the arguments';
const expected = `plain data (also undefined, bigint, Date, Map, Set, URL and bytes); ${wayOut}`;
const limits = `plain data of at most ${deepest} levels, for a key of at most ${longestKey} characters; ${wayOut}`;

/** What is being written: the objects around it, and how long the rest may be. What is longer than a key may be is not written first. */
interface Writing {
  readonly around: Set<unknown>;
  left: number;
}

/**
 * Arguments as text: the same for equal ones, another for any two that can be told apart. What is plain JSON is written as
 * JSON, with the names of objects in order. The rest looks like nothing that JSON can write.
 */
export function wrapKey(args: readonly unknown[]): string {
  const writing = { around: new Set<unknown>(), left: longestKey };
  const parts = args.map((arg, index) => written(arg, `arguments[${index}]`, writing));
  return `[${parts.join()}]`;
}

/** So many characters more, at least. */
function spend(characters: number, place: string, writing: Writing): void {
  writing.left -= characters;
  if (writing.left < 0) throw new InvalidArgumentError(place, limits);
}

function written(value: unknown, place: string, writing: Writing): string {
  spend(typeof value === 'string' ? value.length : 1, place, writing);
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
      return value === null ? 'null' : ofObject(value, place, writing);
    default:
      throw new InvalidArgumentError(place, expected, value);
  }
}

function ofObject(value: object, place: string, writing: Writing): string {
  const { around } = writing;
  if (around.has(value)) throw new InvalidArgumentError(place, `${expected}; it contains itself`);
  if (around.size === deepest) throw new InvalidArgumentError(place, limits);
  around.add(value);
  const text = Array.isArray(value)
    ? ofList(value, place, writing)
    : (ofPlain(value, place, writing) ?? ofKnown(value, place, writing));
  if (text === undefined) throw new InvalidArgumentError(place, expected, value);
  around.delete(value);
  return text;
}

function ofList(list: readonly unknown[], place: string, writing: Writing): string | undefined {
  if (Object.getPrototypeOf(list) !== Array.prototype) return undefined;
  spend(list.length, place, writing);
  let items = 0;
  // A hole is nothing, and nothing else is.
  const parts = Array.from(list, (item, index) => {
    if (!Object.hasOwn(list, index)) return '';
    items += 1;
    return written(item, `${place}[${index}]`, writing);
  });
  // Its length is one of them.
  if (Reflect.ownKeys(list).length !== items + 1) return undefined;
  return parts.length > 0 && !Object.hasOwn(list, parts.length - 1) ? `[${parts.join()},]` : `[${parts.join()}]`;
}

function ofPlain(value: object, place: string, writing: Writing): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  const names = Object.keys(value);
  if (Reflect.ownKeys(value).length !== names.length) return undefined;
  spend(names.length, place, writing);
  const parts = names.sort().map((name) => {
    spend(name.length, place, writing);
    const at = /^[\w$]+$/.test(name) ? `${place}.${name}` : `${place}[${JSON.stringify(name)}]`;
    return `${JSON.stringify(name)}:${written((value as Record<string, unknown>)[name], at, writing)}`;
  });
  return `{${parts.join()}}`;
}

/** Of the language's own classes, not of those derived from them: nobody knows what those hold. */
function ofKnown(value: object, place: string, writing: Writing): string | undefined {
  const text = contents(value, place, writing);
  // Bytes have a name each.
  const names = types.isUint8Array(value) ? value.length : 0;
  return text !== undefined && Reflect.ownKeys(value).length === names ? text : undefined;
}

function contents(value: object, place: string, writing: Writing): string | undefined {
  const part = (one: unknown): string => written(one, place, writing);
  switch (Object.getPrototypeOf(value)) {
    case Date.prototype:
      return `Date(${(value as Date).getTime()})`;
    case URL.prototype:
      return `URL(${JSON.stringify((value as URL).href)})`;
    case Set.prototype:
      spend((value as Set<unknown>).size, place, writing);
      return `Set(${Array.from(value as Set<unknown>, part)
        .sort()
        .join()})`;
    case Map.prototype:
      spend((value as Map<unknown, unknown>).size, place, writing);
      return `Map(${Array.from(value as Map<unknown, unknown>, ([key, one]) => `${part(key)}:${part(one)}`)
        .sort()
        .join()})`;
    case Uint8Array.prototype:
      return `Uint8Array(${base64(value as Uint8Array, place, writing)})`;
    case Buffer.prototype:
      return `Buffer(${base64(value as Buffer, place, writing)})`;
    default:
      return undefined;
  }
}

function base64(bytes: Uint8Array, place: string, writing: Writing): string {
  spend(bytes.length, place, writing);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
