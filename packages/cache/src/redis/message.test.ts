import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyMessage, parseMessage, tagsMessage, versionMessage, wakeMessage } from './message.ts';

const text = fc.string({ minLength: 1, unit: 'binary' });

test('what one process says, another understands', () => {
  fc.assert(
    fc.property(text, fc.array(text), fc.nat(), (key, tags, number) => {
      expect(parseMessage(keyMessage('me', key))).toEqual({ kind: 'key', sender: 'me', key });
      expect(parseMessage(wakeMessage(key))).toEqual({ kind: 'wake', key });
      expect(parseMessage(tagsMessage(tags).join(String(number)))).toEqual({ kind: 'tags', clock: number, tags });
      const version = { kind: 'version', number, namespace: key, version: '7' };
      expect(parseMessage(versionMessage(key, '7').join(String(number)))).toEqual(version);
    }),
  );
});

test('whatever anybody publishes, reading it never throws', () => {
  fc.assert(
    fc.property(fc.constantFrom('k', 't', 'v', 'w', ''), fc.string(), (first, rest) => {
      expect(() => parseMessage(first + rest)).not.toThrow();
    }),
  );
});

test.each(['', 'x', 'k', 'kme', 't12', 't12 7', 't12 {}', 't-1 []', 'v1 ["a"]', 'v1 [1,2]', 'vx ["a","b"]'])(
  '%j is not a message',
  (said) => {
    expect(parseMessage(said)).toBeUndefined();
  },
);
