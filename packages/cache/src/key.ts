import { InvalidArgumentError } from '@quorate/core';

export const longestKey = 4_096;
const longestTag = 512;
const mostTags = 128;

export function checkKey(key: unknown, name = 'key'): asserts key is string {
  if (typeof key === 'string' && key !== '' && key.length <= longestKey && key.isWellFormed()) return;
  throw new InvalidArgumentError(name, `a string of 1 to ${longestKey} characters, each surrogate in its pair`, key);
}

export function checkPrefix(prefix: unknown): string {
  if (typeof prefix === 'string' && /^[^{}\s*]{1,128}$/.test(prefix)) return prefix;
  throw new InvalidArgumentError('prefix', 'a string of 1 to 128 characters without braces, spaces or stars', prefix);
}

/** Sorted, each once. */
export function checkTags(tags: unknown, name = 'tags'): readonly string[] {
  if (!Array.isArray(tags) || tags.length > mostTags) {
    throw new InvalidArgumentError(name, `a list of at most ${mostTags} strings`, tags);
  }
  for (const tag of tags) {
    if (typeof tag !== 'string' || tag === '' || tag.length > longestTag || !tag.isWellFormed()) {
      throw new InvalidArgumentError(name, `strings of 1 to ${longestTag} characters`, tag);
    }
  }
  return [...new Set(tags as string[])].sort();
}

export function checkFence(fence: unknown): bigint {
  if (typeof fence === 'bigint' && fence >= 0n) return fence;
  throw new InvalidArgumentError('fence', 'a fencing token: a bigint of at least 0', fence);
}
