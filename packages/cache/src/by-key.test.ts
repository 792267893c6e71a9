import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { ByKey } from './by-key.ts';

test.for(['a', '', '7', '-1', '1e9', '4294967295', '__proto__', 'constructor', 'hasOwnProperty', 'ключ', '\0'])(
  'what is under a key is there until it is taken away: %j',
  (key) => {
    const all = new ByKey<number>();
    expect([all.has(key), all.get(key), all.values()]).toEqual([false, undefined, []]);
    all.set(key, 1);
    all.set(key, 2);
    expect([all.has(key), all.get(key), all.values()]).toEqual([true, 2, [2]]);
    expect(all.has(`${key}.`)).toBe(false);
    all.delete(key);
    expect([all.has(key), all.get(key), all.values()]).toEqual([false, undefined, []]);
    all.set(key, 3);
    all.clear();
    expect([all.has(key), all.values()]).toEqual([false, []]);
  },
);

test('what was taken away is collected with what is young', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { type: 'minor' }) => void;
  // What survives two is old from then on.
  const collectYoung = (): void => {
    for (let i = 0; i < 3; i += 1) collect({ type: 'minor' });
  };
  const kept = (all: Pick<ByKey<unknown>, 'set' | 'delete'>): number => {
    let before = 0;
    for (let i = 0; i < 20_000; i += 1) {
      all.set(`key ${i}`, new Array(100).fill(i));
      if (i >= 8) all.delete(`key ${i - 8}`);
      if (i % 1_000 === 0) collectYoung();
      if (i === 1_000) before = process.memoryUsage().heapUsed;
    }
    collectYoung();
    return process.memoryUsage().heapUsed - before;
  };
  // 19,000 of 800 bytes.
  expect(kept(new ByKey())).toBeLessThan(1_500_000);
});
