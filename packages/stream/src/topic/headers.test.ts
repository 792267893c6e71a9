import { expect, test } from 'vitest';
import type { KafkaHeaders } from '../driver/record.ts';
import { headerNames, headersByName, publishedAt } from './headers.ts';

function headers(...list: readonly (readonly [name: string, text: string])[]): KafkaHeaders {
  return list.map(([name, text]) => [name, Buffer.from(text)]);
}

test('of a name that comes twice the last counts', () => {
  const twice = headers(['a', 'first'], ['b', 'only'], ['a', 'last']);
  expect({ ...headersByName(twice) }).toEqual({ a: 'last', b: 'only' });
  const published = headers([headerNames.published, '1'], [headerNames.published, '2']);
  expect(publishedAt({ key: null, value: null, headers: published, timestamp: 3 })).toBe(2);
});

test('names that every object has are names like others', () => {
  expect(headersByName([]).constructor).toBe(undefined);
  expect(Object.entries(headersByName(headers(['__proto__', 'x'])))).toEqual([['__proto__', 'x']]);
});
