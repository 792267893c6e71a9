import { expect, test } from 'vitest';
import { Writer } from '../jute/writer.ts';
import { notified } from '../protocol/watch-event.ts';
import { type Interest, type WatchKind, WatchRegistry } from './registry.ts';
import { replaceRequests } from './replacing.ts';

interface Setup {
  readonly registry: WatchRegistry;
  readonly removed: string[];
  readonly seen: string[];
  want(path: string, kind: WatchKind, label?: string): Interest;
}

function setup(): Setup {
  const removed: string[] = [];
  const seen: string[] = [];
  const registry = new WatchRegistry((path) => removed.push(path));
  const want = (path: string, kind: WatchKind, label: string = kind): Interest => {
    const interest = registry.begin(path, kind, {
      deliver: (event) => seen.push(`${label}: ${event.type} ${event.path}`),
      ended: () => undefined,
    });
    registry.place(interest);
    return interest;
  };
  return { registry, removed, seen, want };
}

test.each([
  ['created', ['data', 'exists', 'persistent', 'recursive']],
  ['deleted', ['data', 'exists', 'children', 'persistent', 'recursive']],
  ['changed', ['data', 'exists', 'persistent', 'recursive']],
  ['children', ['children', 'persistent']],
] as const)('%s reaches those it concerns', (type, kinds) => {
  const { registry, seen, want } = setup();
  for (const kind of ['data', 'exists', 'children', 'persistent', 'recursive'] as const) want('/a', kind);
  registry.notify({ type: notified[type], path: '/a' });
  expect(seen).toEqual(kinds.map((kind) => `${kind}: ${type} /a`));
});

test('a one-shot watch fires once, a persistent one each time, a recursive one for all below, the root for everything', () => {
  const { registry, seen, want } = setup();
  want('/a', 'data');
  want('/a', 'persistent');
  want('/', 'recursive', 'root');
  for (const path of ['/a', '/a', '/a/b', '/ab']) registry.notify({ type: notified.changed, path });
  expect(seen).toEqual([
    'data: changed /a',
    'persistent: changed /a',
    'root: changed /a',
    'persistent: changed /a',
    'root: changed /a',
    'root: changed /a/b',
    'root: changed /ab',
  ]);
});

test('the server is asked to remove a watch when the last interest in its path is given up', () => {
  const { registry, removed, want } = setup();
  const [first, second] = [want('/a', 'data'), want('/a', 'children')];
  registry.end(first);
  expect(removed).toEqual([]);
  registry.end(second);
  registry.end(second);
  expect(removed).toEqual(['/a']);
  expect(registry.size).toBe(0);
});

test('it is not asked while a reply is under way that places another watch there', () => {
  const { registry, removed, want } = setup();
  const underWay = registry.begin('/a', 'data', { deliver: () => undefined, ended: () => undefined });
  registry.end(want('/a', 'data'));
  expect(removed).toEqual([]);
  registry.place(underWay);
  registry.notify({ type: notified.changed, path: '/a' });
  // A persistent watch may be left of the one given up: nobody wants it now.
  expect(removed).toEqual(['/a']);
});

test('a watch that has fired needs no removing, and an event nobody wants is nobody’s', () => {
  const { registry, removed, seen, want } = setup();
  const interest = want('/a', 'data');
  registry.notify({ type: notified.changed, path: '/a' });
  registry.end(interest);
  registry.notify({ type: notified.changed, path: '/a' });
  registry.notify({ type: 99, path: '/a' });
  expect([removed, seen]).toEqual([[], ['data: changed /a']]);
});

test('after a reconnect, readers of persistent watches are told of a gap, and one-shot watches are not', () => {
  const { registry, seen, want } = setup();
  for (const kind of ['data', 'persistent', 'recursive'] as const) want('/a', kind);
  expect(registry.placed()).toEqual({ data: ['/a'], exists: [], children: [], persistent: ['/a'], recursive: ['/a'] });
  registry.replaced();
  expect(seen).toEqual(['persistent: gap /a', 'recursive: gap /a']);
});

test('watches are placed again in requests of at most 128 kB, each watch once', () => {
  const { registry, want } = setup();
  for (let i = 0; i < 5_000; i += 1) want(`/${'x'.repeat(i % 200)}${i}`, i % 2 ? 'data' : 'recursive');
  const requests = replaceRequests(registry.placed(), 7n);
  const sizes = requests.map(({ encode }) => {
    const writer = new Writer();
    encode(writer);
    return writer.length;
  });
  expect(Math.max(...sizes)).toBeLessThanOrEqual(128 * 1024);
  expect(requests.length).toBeGreaterThan(3);
  expect(replaceRequests(new WatchRegistry(() => undefined).placed(), 7n)).toEqual([]);
});
