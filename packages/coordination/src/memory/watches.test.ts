import { notified } from '@quorate/zookeeper/in-process';
import { expect, test } from 'vitest';
import { type Watcher, Watches } from './watches.ts';

const acl = [{ permissions: 'all' as const, scheme: 'world', id: 'anyone' }];

function listener(): Watcher & { readonly heard: string[] } {
  const heard: string[] = [];
  return { heard, notified: ({ type, path }) => heard.push(`${type} ${path}`) };
}

test('what fires once is gone when it has fired, and what stays is not', () => {
  const watches = new Watches();
  const one = listener();
  for (const kind of ['data', 'children', 'persistent'] as const) watches.add(kind, '/a', one);
  watches.add('recursive', '/', one);
  watches.add('data', '/a', one);
  expect(watches.size).toBe(4);
  watches.fire({ type: notified.changed, path: '/a', acl });
  expect(watches.size).toBe(3);
  watches.fire({ type: notified.children, path: '/a', acl });
  expect(watches.size).toBe(2);
  watches.fire({ type: notified.deleted, path: '/a', acl });
  watches.fire({ type: notified.created, path: '/a/b', acl });
  // However many watches of one connection fire, it is told once.
  expect(one.heard).toEqual(['3 /a', '4 /a', '2 /a', '1 /a/b']);
});

test('what nobody may read has fired, and nobody is told', () => {
  const watches = new Watches();
  const one = listener();
  watches.add('data', '/a', one);
  watches.fire({ type: notified.changed, path: '/a', acl: [] });
  expect(watches.size).toBe(0);
  expect(one.heard).toEqual([]);
});

test('a connection that is gone leaves none behind, and takes none of others away', () => {
  const watches = new Watches();
  const [one, other] = [listener(), listener()];
  for (let n = 0; n < 100; n += 1) {
    for (const kind of ['data', 'children', 'persistent', 'recursive'] as const) watches.add(kind, `/${n}`, one);
  }
  watches.add('data', '/1', other);
  expect(watches.remove('/2', one)).toBe(true);
  expect(watches.remove('/2', one)).toBe(false);
  watches.drop(one);
  expect(watches.size).toBe(1);
  watches.fire({ type: notified.changed, path: '/1', acl });
  expect([one.heard, other.heard]).toEqual([[], ['3 /1']]);
});
