import { describe, expect, test } from 'vitest';
import { check } from '../verdict/check.ts';
import { register } from '../verdict/register.ts';
import { History } from './history.ts';

function at(time: number): History {
  return new History({ clock: () => time });
}

/** Every order in which these can be given to `merge`. */
function orders<Item>(items: readonly Item[]): Item[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item) => orders(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
}

describe('at one time, whatever the order of the histories', () => {
  test('a lease is let go before it is taken, also when something else is in front of the letting go', () => {
    const ann = at(5);
    const ben = at(5);
    ann.held('ann', 'other', 1n);
    ann.held('ann', 'lease', 1n);
    ann.released('ann', 'lease', 1n);
    ben.held('ben', 'lease', 2n);
    for (const order of orders([ann, ben])) expect(check.exclusive(History.merge(...order)).result).toBe('valid');
  });

  test('leases were given in the order of their tokens', () => {
    const [ann, ben] = [at(5), at(5)];
    ann.held('ann', 'lease', 1n).released();
    ben.held('ben', 'lease', 2n).released();
    for (const order of orders([ann, ben])) {
      expect(check.exclusive(History.merge(...order)).result).toBe('valid');
      expect(check.tokensIncrease(History.merge(...order)).result).toBe('valid');
    }
  });

  test('work begins before other work ends, also when something else is in front of its begin', () => {
    const writer = at(5);
    const reader = at(5);
    writer.invoke('writer', 'write', { key: 'x', value: 1 }).ok();
    const before = reader.invoke('reader', 'read', { key: 'y' });
    before.ok(null);
    reader.invoke('reader', 'read', { key: 'x' }).ok(null);
    for (const order of orders([writer, reader])) {
      expect(check.linearizable(History.merge(...order), register()).result).toBe('valid');
    }
  });

  test('a kill comes after what the killed process did, and before another takes what it held', () => {
    const [ann, bed, ben] = [at(5), at(5), at(5)];
    ann.held('ann', 'lease', 1n);
    bed.fault('kill', 'ann');
    ben.held('ben', 'lease', 2n);
    for (const order of orders([ann, bed, ben])) {
      expect(check.exclusive(History.merge(...order)).result).toBe('valid');
    }
  });

  test('a kill that is noted between does not hide two holders before it', () => {
    const [ann, bed, ben] = [at(5), at(9), at(7)];
    ann.held('ann', 'lease', 1n);
    bed.fault('kill', 'ann');
    ben.held('ben', 'lease', 2n);
    for (const order of orders([ann, bed, ben])) {
      expect(check.exclusive(History.merge(...order)).result).toBe('invalid');
    }
  });

  test('a message is sent before it is received', () => {
    const [from, to] = [at(5), at(5)];
    from.note('something in front');
    const { id } = from.message('a', 'b');
    to.received(id);
    for (const order of orders([from, to])) {
      const types = History.merge(...order).events.map(({ type }) => type);
      expect(types.indexOf('sent')).toBeLessThan(types.indexOf('received'));
    }
  });

  test('each history keeps its own order, also where the orders contradict one another', () => {
    const [one, two] = [at(5), at(5)];
    for (const [history, name] of [
      [one, 'a'],
      [two, 'b'],
    ] as const) {
      const open = history.invoke(name, 'write', { value: 1 });
      history.note(`${name} 1`);
      open.ok();
      history.invoke(name, 'write', { value: 2 });
      history.note(`${name} 2`);
    }
    const { events } = History.merge(one, two);
    expect(events).toHaveLength(10);
    for (const name of ['a', 'b']) {
      const labels = events.flatMap((event) => (event.type === 'note' && event.label[0] === name ? [event.label] : []));
      expect(labels).toEqual([`${name} 1`, `${name} 2`]);
    }
  });
});

test('what is recorded in a merged or loaded history is never before what is in it', () => {
  const late = new History({ clock: () => Number.MAX_SAFE_INTEGER });
  late.note('late');
  for (const history of [History.merge(late, at(1)), History.fromJsonLines(late.toJsonLines())]) {
    history.note('after');
    expect(history.events.at(-1)).toMatchObject({ label: 'after', at: Number.MAX_SAFE_INTEGER });
    expect(History.fromJsonLines(history.toJsonLines()).events).toEqual(history.events);
  }
});
