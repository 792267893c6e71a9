import { expect, test } from 'vitest';
import { Screen } from './screen.ts';

function out(more: object = {}): { stream: NodeJS.WriteStream; text: () => string } {
  let text = '';
  return { stream: { write: (some: string) => (text += some), ...more } as never, text: () => text };
}

test('on a terminal each page replaces the last one', () => {
  const { stream, text } = out({ isTTY: true, rows: 24, columns: 80 });
  const screen = new Screen('page', stream);
  screen.show('one');
  screen.show('two');
  expect(text()).toBe('\x1b[2J\x1b[H\x1b[Jone\n\x1b[H\x1b[Jtwo\n');
});

test('a page that does not fit is cut, so that it does not scroll', () => {
  const { stream, text } = out({ isTTY: true, rows: 4, columns: 5 });
  new Screen('page', stream).show('1\n2 is long\n3\n4\n5');
  expect(text()).toBe('\x1b[2J\x1b[H\x1b[J1\n2 is \n… 3 more lines\n');
});

test('elsewhere pages follow one another, and what has not changed is not shown again', () => {
  const { stream, text } = out();
  const screen = new Screen('page', stream);
  for (const page of ['one', 'one', 'two']) screen.show(page);
  expect(text()).toBe('one\n\ntwo\n');
});

test('lines are lines', () => {
  const { stream, text } = out({ isTTY: true });
  const screen = new Screen('lines', stream);
  for (const line of ['{}', '{}', '{"a":1}']) screen.show(line);
  expect(text()).toBe('{}\n{"a":1}\n');
});
