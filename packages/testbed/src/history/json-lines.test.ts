import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { History } from './history.ts';
import { HistoryLineError, linesToEvents } from './json-lines.ts';

const good = '{"type":"note","at":1,"label":"a"}';

describe('a bad line is refused by its number', () => {
  test.each([
    ['{"type":"note"', 'JSON'],
    ['7', 'expected an object'],
    ['{"type":"nonsense","at":1}', 'type: expected one of invoked'],
    ['{"type":"toString","at":1}', 'type: expected one of invoked'],
    ['{"type":"note","at":"1","label":"a"}', 'at: expected a number'],
    ['{"type":"note","at":1e999,"label":"a"}', 'at: expected a number'],
    ['{"type":"note","at":1}', 'label: expected text, got nothing'],
    ['{"type":"note","at":1,"label":"a","extra":1}', 'extra: not a field of note'],
    ['{"type":"note","at":0,"label":"a"}', 'at: 0 is before 1'],
    ['{"type":"held","at":1,"process":"a","lease":"l","token":7}', 'token: expected a bigint'],
    ['{"type":"held","at":1,"process":"a","lease":"l","token":{"$bigint":"7.5"}}', '$bigint with a value'],
    ['{"type":"ok","at":1,"id":5}', 'nothing with id 5 is open that ok could end'],
    ['{"type":"fault","at":1,"id":1,"kind":"kill","target":"zk-1"}', 'target: expected a list of names'],
    ['{"type":"invoked","at":1,"id":0,"process":"a","op":"read","input":null}', 'id: expected a whole number above 0'],
    [`{"type":"note","at":1,"label":"a","detail":${'['.repeat(40)}${']'.repeat(40)}}`, 'levels deep'],
  ])('%s', (line, why) => {
    expect(() => linesToEvents(`${good}\n\n${line}\n${good}\n`)).toThrow(HistoryLineError);
    expect(() => linesToEvents(`${good}\n\n${line}\n${good}\n`)).toThrow(/^line 3: /);
    expect(() => linesToEvents(`${good}\n\n${line}\n${good}\n`)).toThrow(why);
  });

  test('an operation does not end twice, nor a fault as an operation', () => {
    const begin = '{"type":"fault","at":1,"id":1,"kind":"kill","target":[]}\n';
    const healed = '{"type":"healed","at":1,"id":1}\n';
    expect(linesToEvents(begin + healed)).toHaveLength(2);
    expect(() => linesToEvents(begin + healed + healed)).toThrow('line 3');
    expect(() => linesToEvents(`${begin}{"type":"ok","at":1,"id":1}`)).toThrow('line 2');
    expect(() => linesToEvents(begin + begin)).toThrow('id: 1 is taken');
  });
});

test('is bounded in lines and in their length', () => {
  expect(() => linesToEvents(`${good}\n${good}\n`, { limit: 1 })).toThrow('line 2: more than 1 events');
  expect(() => linesToEvents(good, { lineLimit: 10 })).toThrow('line 1: longer than 10 characters');
});

test('leaves out a torn last line only when asked to', () => {
  const torn = `${good}\n{"type":"no`;
  expect(() => linesToEvents(torn)).toThrow('line 2');
  expect(linesToEvents(torn, { torn: true })).toHaveLength(1);
  expect(() => linesToEvents(`{"type":"no\n${good}`, { torn: true })).toThrow('line 1');
});

test('takes lines that end as on Windows', () => {
  expect(linesToEvents(`${good}\r\n${good}\r\n`)).toHaveLength(2);
});

test('whatever the text, it is read whole or refused with a line number', () => {
  const history = new History({ clock: () => 1 });
  history.invoke('a', 'write', { key: 'x', value: 2n }).ok();
  history.held('a', 'leader', 3n).released();
  const text = history.toJsonLines();
  const change = fc.record({ at: fc.nat(text.length - 1), drop: fc.nat(3), put: fc.string({ maxLength: 3 }) });
  fc.assert(
    fc.property(change, ({ at, drop, put }) => {
      try {
        const events = linesToEvents(text.slice(0, at) + put + text.slice(at + drop));
        expect(events.length).toBeLessThanOrEqual(8);
      } catch (error) {
        expect(error).toBeInstanceOf(HistoryLineError);
        expect((error as HistoryLineError).line).toBeGreaterThan(0);
      }
    }),
    { seed: 5, numRuns: 2000 },
  );
});
