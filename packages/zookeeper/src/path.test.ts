import { isQuorateError } from '@quorate/core';
import { expect, test } from 'vitest';
import { checkPath, childOf, lastSegment, parentOf, withChroot, withoutChroot } from './path.ts';

test.each(['/', '/a', '/a/b', '/a b/ü/中', '/a/...', '/a/.b', '/zookeeper/config'])('accepts %s', (path) => {
  expect(() => checkPath(path)).not.toThrow();
});

test.each([
  ['', 'starting with /'],
  ['a', 'starting with /'],
  ['a/b', 'starting with /'],
  ['/a/', 'not ending with /'],
  ['//', 'not ending with /'],
  ['//a', 'no empty segment'],
  ['/a//b', 'no empty segment'],
  ['/.', 'no segment "."'],
  ['/a/../b', 'no segment ".."'],
  ['/a\0', 'no character U+0000'],
  ['/a\nb', 'no character U+000a'],
  ['/a\u0085', 'no character U+0085'],
  ['/\ud83d\ude00', 'no character U+d83d'],
  [undefined, 'an absolute path'],
  [7, 'an absolute path'],
  [Buffer.from('/a'), 'an absolute path'],
])('refuses %j and says why', (path, why) => {
  try {
    checkPath(path, 'to');
    expect.unreachable();
  } catch (error) {
    expect(isQuorateError(error, 'invalid-argument')).toBe(true);
    expect((error as Error).message).toMatch(/^to: expected an absolute path/);
    expect((error as Error).message).toContain(why);
  }
});

test('knows parents, children and names', () => {
  expect(['/', '/a', '/a/b'].map(parentOf)).toEqual(['/', '/', '/a']);
  expect([childOf('/', 'a'), childOf('/a', 'b')]).toEqual(['/a', '/a/b']);
  expect(lastSegment('/a/b')).toBe('b');
});

test.each([
  ['', '/a', '/a'],
  ['', '/', '/'],
  ['/app', '/a', '/app/a'],
  ['/app', '/', '/app'],
])('maps below the chroot %j: %s is %s', (chroot, path, onServer) => {
  expect(withChroot(chroot, path)).toBe(onServer);
  expect(withoutChroot(chroot, onServer)).toBe(path);
});

test('a path outside of the chroot has no name inside it', () => {
  expect(withoutChroot('/app', '/application/a')).toBeUndefined();
});
