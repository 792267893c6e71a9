import { InvalidArgumentError } from '@quorate/core';

// What the servers refuse: control characters, the two ranges around them, surrogates and private use, and specials.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const forbidden = /[\u0000-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/;
const expected = 'an absolute path such as "/app/config"';

/** Refuses what no server accepts as the path of a node, saying what is wrong with it. */
export function checkPath(path: unknown, argument = 'path'): asserts path is string {
  if (typeof path !== 'string') throw new InvalidArgumentError(argument, expected, path);
  if (path === '/') return;
  if (!path.startsWith('/')) throw new InvalidArgumentError(argument, `${expected} (starting with /)`, path);
  if (path.endsWith('/')) throw new InvalidArgumentError(argument, `${expected} (not ending with /)`, path);
  const bad = forbidden.exec(path);
  if (bad) {
    const code = bad[0].charCodeAt(0).toString(16).padStart(4, '0');
    throw new InvalidArgumentError(argument, `${expected} (no character U+${code})`, path);
  }
  for (const segment of path.slice(1).split('/')) {
    if (segment === '') throw new InvalidArgumentError(argument, `${expected} (no empty segment)`, path);
    if (segment === '.' || segment === '..') {
      throw new InvalidArgumentError(argument, `${expected} (no segment "${segment}")`, path);
    }
  }
}

/** The path above; the root is its own parent. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}

export function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export function childOf(parent: string, name: string): string {
  return parent === '/' ? `/${name}` : `${parent}/${name}`;
}

/** The path on the server of a path below `chroot`, which is '' where there is none. */
export function withChroot(chroot: string, path: string): string {
  if (chroot === '') return path;
  return path === '/' ? chroot : chroot + path;
}

/** The reverse. Undefined for a path outside of `chroot`, of which its user knows nothing. */
export function withoutChroot(chroot: string, path: string): string | undefined {
  if (chroot === '') return path;
  if (path === chroot) return '/';
  return path.startsWith(`${chroot}/`) ? path.slice(chroot.length) : undefined;
}
