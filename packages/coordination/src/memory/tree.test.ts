import { expect, test } from 'vitest';
import type { Change } from './change.ts';
import { type Create, Tree } from './tree.ts';

const acl = [{ permissions: 'all' as const, scheme: 'world', id: 'anyone' }];
const change = (): Change => ({ zxid: 1n, time: 0n, session: 7n, events: [], undo: [] });
const sequential = (path: string): Create => {
  return { kind: 'create', path, data: Buffer.alloc(0), acl, mode: 'ephemeral-sequential', ttl: undefined };
};

test('after two billion children the numbers go on below zero, as those of servers do', () => {
  const tree = new Tree(1_000_000);
  tree.get('/').born = 2 ** 31 - 1;
  const numbers = [1, 2, 3].map(() => tree.create(change(), sequential('/n-')).path);
  expect(numbers).toEqual(['/n-2147483647', '/n--2147483648', '/n--2147483647']);
});

test('what is taken back leaves nothing: no node, no number, no owner', () => {
  const tree = new Tree(1_000_000);
  const before = { ...tree.get('/'), children: new Set() };
  const failed = change();
  const { path } = tree.create(failed, sequential('/n-'));
  tree.set(failed, path, Buffer.from('x'), 0);
  tree.delete(failed, path, 1);
  tree.create(failed, sequential('/n-'));
  for (const undo of failed.undo.reverse()) undo();
  expect(tree.get('/')).toEqual(before);
  expect([tree.size, tree.ephemeralsOf(7n)]).toEqual([1, []]);
  expect(tree.create(change(), sequential('/n-')).path).toBe('/n-0000000000');
});
