import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Room } from './room.ts';

interface Guest {
  readonly name: number;
  readonly size: number;
}

test('guests get in one after the other, as soon as there is room', () => {
  const inside: number[] = [];
  const room = new Room<Guest>(10, ({ name }) => inside.push(name));
  const guests = [6, 4, 3, 1].map((size, name) => ({ name, size }));
  for (const guest of guests) room.enter(guest);
  expect(inside).toEqual([0, 1]);
  expect(room.outside).toBe(2);
  room.leave(guests[1] as Guest);
  expect(inside).toEqual([0, 1, 2, 3]);
  expect(room.taken).toBe(10);
});

test('a guest that is larger than the room gets in when it is empty, and nobody with it', () => {
  const inside: number[] = [];
  const room = new Room<Guest>(10, ({ name }) => inside.push(name));
  const [small, large, next] = [5, 50, 1].map((size, name) => ({ name, size })) as [Guest, Guest, Guest];
  room.enter(small);
  room.enter(large);
  room.enter(next);
  expect(inside).toEqual([0]);
  room.leave(small);
  expect(inside).toEqual([0, 1]);
  room.leave(large);
  expect(inside).toEqual([0, 1, 2]);
});

test('whoever gives up outside makes way for those behind', () => {
  const inside: number[] = [];
  const room = new Room<Guest>(10, ({ name }) => inside.push(name));
  const [first, large, small] = [8, 5, 2].map((size, name) => ({ name, size })) as [Guest, Guest, Guest];
  for (const guest of [first, large, small]) room.enter(guest);
  expect(room.giveUp(large)).toBe(true);
  expect(inside).toEqual([0, 2]);
  expect(room.giveUp(first)).toBe(false);
});

test('whatever comes and goes: never too full, never out of order, and nobody waits beside an empty room', () => {
  const step = fc.record({ size: fc.integer({ min: 1, max: 15 }), what: fc.constantFrom('enter', 'leave', 'give up') });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const inside: Guest[] = [];
      const outside: Guest[] = [];
      const order: number[] = [];
      const room = new Room<Guest>(10, (guest) => {
        inside.push(guest);
        order.push(guest.name);
        const place = outside.indexOf(guest);
        if (place >= 0) outside.splice(place, 1);
      });
      for (const [name, { size, what }] of steps.entries()) {
        if (what === 'enter') {
          const guest = { name, size };
          outside.push(guest);
          room.enter(guest);
        } else if (what === 'leave') {
          const guest = inside.shift();
          if (guest) room.leave(guest);
        } else {
          const guest = outside[size % Math.max(1, outside.length)];
          if (!guest) continue;
          outside.splice(outside.indexOf(guest), 1);
          expect(room.giveUp(guest)).toBe(true);
        }
        const taken = inside.reduce((sum, { size: one }) => sum + one, 0);
        expect(room.taken).toBe(taken);
        expect(room.outside).toBe(outside.length);
        if (inside.length > 1) expect(taken).toBeLessThanOrEqual(10);
        if (outside[0]) expect(taken === 0 ? 0 : taken + outside[0].size).toBeGreaterThan(10);
      }
      expect(order).toEqual(order.toSorted((a, b) => a - b));
    }),
  );
});
