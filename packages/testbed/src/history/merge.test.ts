import { describe, expect, test } from 'vitest';
import { check } from '../verdict/check.ts';
import { register } from '../verdict/register.ts';
import { History } from './history.ts';
import { type Seeded, seeded } from './seeded.ts';

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

  test('a holder that is killed, and those who hold after it: nobody waits for a death that ends nothing', () => {
    const [bed, ann, ben, cleo] = [at(5), at(5), at(5), at(5)];
    bed.fault('kill', 'ann');
    ann.held('ann', 'lease', 1n);
    ben.held('ben', 'lease', 2n).released();
    cleo.held('cleo', 'lease', 3n).released();
    for (const order of orders([bed, ann, ben, cleo])) {
      expect(check.exclusive(History.merge(...order)).result).toBe('valid');
    }
  });

  test('that a lease is let go before it is taken is certain; that work was under way at once is not', () => {
    const [ann, ben] = [at(5), at(5)];
    for (const [history, name, token] of [
      [ann, 'ann', 1n],
      [ben, 'ben', 2n],
    ] as const) {
      const held = history.held(name, 'lease', token);
      history.invoke(name, 'write', { key: 'x', token }).ok();
      held.released();
    }
    for (const order of orders([ann, ben])) expect(check.exclusive(History.merge(...order)).result).toBe('valid');
  });

  test('a process that is paused may do something after it, and its lease is not free', () => {
    const [bed, ann] = [at(5), at(5)];
    bed.fault('pause', 'ann').end();
    ann.held('ann', 'lease', 1n);
    expect(History.merge(bed, ann).events.map(({ type }) => type)).toEqual(['fault', 'healed', 'held']);
    const ben = at(5);
    ben.held('ben', 'lease', 2n);
    const types = History.merge(ann, ben, bed).events.map(({ type }) => type);
    expect(types).toEqual(['held', 'held', 'fault', 'healed']);
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

const seed = Number(process.env.QUORATE_SEED ?? 5);

test(`what was in order stays in order on a clock of coarse ticks, seed ${seed} (set QUORATE_SEED for another)`, () => {
  for (let run = 0; run < 2_000; run += 1) {
    const merged = History.merge(...inOrder(seeded(seed).fork(`run ${run}`)));
    for (const verdict of [check.exclusive(merged), check.tokensIncrease(merged), check.noLostUpdates(merged)]) {
      expect(verdict.result, `run ${run}: ${verdict.summary}`).not.toBe('invalid');
    }
  }
});

/** Holders of two leases, one after the other; each writes, then lets go or is killed. A history for each, and the bed's. */
function inOrder(chance: Seeded): History[] {
  let now = 1;
  const clock = (): number => {
    if (chance.next() < 0.35) now += 1;
    return now;
  };
  const bed = new History({ clock });
  const histories = new Map(['ann', 'ben', 'cleo'].map((name) => [name, new History({ clock })]));
  const alive = [...histories.keys()];
  const tokens = new Map<string, bigint>();
  for (let turns = chance.integer(2, 5); turns > 0 && alive.length > 0; turns -= 1) {
    const name = chance.pick(alive);
    const history = histories.get(name) as History;
    const lease = chance.pick(['one', 'other']);
    const token = (tokens.get(lease) ?? 0n) + 1n;
    tokens.set(lease, token);
    const held = history.held(name, lease, token);
    if (chance.next() < 0.4) history.invoke(name, 'write', { key: lease, token, version: token }).ok();
    if (chance.next() < 0.3) {
      bed.fault('kill', name);
      alive.splice(alive.indexOf(name), 1);
    } else held.released();
  }
  // The bed's may come first or last, or between.
  const all = [...histories.values()];
  return all.toSpliced(chance.integer(0, all.length), 0, bed);
}

test('what is recorded in a merged or loaded history is never before what is in it', () => {
  const late = new History({ clock: () => Number.MAX_SAFE_INTEGER });
  late.note('late');
  for (const history of [History.merge(late, at(1)), History.fromJsonLines(late.toJsonLines())]) {
    history.note('after');
    expect(history.events.at(-1)).toMatchObject({ label: 'after', at: Number.MAX_SAFE_INTEGER });
    expect(History.fromJsonLines(history.toJsonLines()).events).toEqual(history.events);
  }
});
