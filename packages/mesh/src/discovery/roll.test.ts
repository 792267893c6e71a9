import { describe, expect, test } from 'vitest';
import { Roll } from './roll.ts';
import type { HealthEntry } from './service-instance.ts';

interface Said {
  readonly node?: string;
  readonly port?: number;
  readonly index?: number;
  readonly check?: number;
}

function entry(id: string, { node = 'n', port = 1, index = 10, check = 20 }: Said = {}): HealthEntry {
  return {
    Node: { Node: node, Address: '10.0.0.1', Datacenter: 'dc1', ModifyIndex: 5 },
    Service: { ID: id, Service: 's', Address: '', Port: port, Tags: [], Meta: {}, ModifyIndex: index },
    Checks: [{ CheckID: 'c', Status: 'passing', ModifyIndex: check }],
  };
}

const shown = (roll: Roll, entries: readonly HealthEntry[], anew = false): string[] =>
  roll.read(entries, anew).map(({ node, id, port }) => `${node}/${id}:${port}`);

describe('what has not changed stays', () => {
  test('the list, when nothing has, also when an index has grown or the order is another one', () => {
    const roll = new Roll(false);
    const list = roll.read([entry('a'), entry('b')], true);
    expect(roll.read([entry('a'), entry('b')], false)).toBe(list);
    expect(roll.read([entry('a', { check: 30 }), entry('b', { index: 31 })], false)).toBe(list);
    expect(roll.read([entry('b'), entry('a')], false)).toBe(list);
    expect(roll.read([entry('a'), entry('b')], true)).toBe(list);
  });

  test('the objects, when another one has changed, come or gone', () => {
    const roll = new Roll(false);
    const [a, b, c] = roll.read([entry('a'), entry('b'), entry('c')], true);
    const changed = roll.read([entry('a'), entry('b', { port: 2, index: 11 }), entry('c')], false);
    expect([changed[0] === a, changed[1] === b, changed[1]?.port, changed[2] === c]).toEqual([true, false, 2, true]);
    const gone = roll.read([entry('b', { port: 2, index: 11 }), entry('c')], false);
    expect(gone).toHaveLength(2);
    expect([gone[0] === changed[1], gone[1] === c]).toEqual([true, true]);
    const come = roll.read([entry('0'), entry('b', { port: 2, index: 11 }), entry('c')], false);
    expect(come.map(({ id }) => id)).toEqual(['0', 'b', 'c']);
    expect(come[2]).toBe(c);
  });
});

test('the same id on another node is another instance', () => {
  const roll = new Roll(false);
  const list = roll.read([entry('a', { node: 'n1' }), entry('a', { node: 'n2' })], true);
  expect(shown(roll, [entry('a', { node: 'n2' }), entry('a', { node: 'n3' })])).toEqual(['n2/a:1', 'n3/a:1']);
  expect(roll.read([entry('a', { node: 'n2' })], false)[0]).toBe(list[1]);
});

test('other servers may have other instances under the same indexes', () => {
  const roll = new Roll(false);
  expect(shown(roll, [entry('a')], true)).toEqual(['n/a:1']);
  expect(shown(roll, [entry('a', { port: 2 })], true)).toEqual(['n/a:2']);
});

test('by distance another order is news, and by id it is none', () => {
  const roll = new Roll(true);
  const list = roll.read([entry('b'), entry('a')], true);
  expect(list.map(({ id }) => id)).toEqual(['b', 'a']);
  const turned = roll.read([entry('a'), entry('b')], false);
  expect(turned.map(({ id }) => id)).toEqual(['a', 'b']);
  expect(turned).not.toBe(list);
});

test('servers that tell no indexes are compared by what they say', () => {
  const bare = (port: number): HealthEntry => {
    const { Node, Service, Checks } = entry('a', { port });
    const { ModifyIndex: _, ...service } = Service;
    return { Node, Service: service, Checks };
  };
  const roll = new Roll(false);
  const list = roll.read([bare(1)], true);
  expect(roll.read([bare(1)], false)).toBe(list);
  expect(shown(roll, [bare(2)])).toEqual(['n/a:2']);
});
