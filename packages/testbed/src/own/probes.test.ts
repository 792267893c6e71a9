import { expect, test } from 'vitest';
import type { Place } from './own-options.ts';
import { probe } from './probes.ts';

test.each([/serving/g, /serving/y])('%s finds its line after each start, wherever the last one ended', async (log) => {
  let pid = 1;
  const server = {
    ...{ logged: async () => 'is serving\n' },
    get pid() {
      return pid;
    },
  };
  const ready = probe({ log }, {} as Place, () => server);
  for (pid of [1, 2, 3]) expect(await ready(new AbortController().signal)).toBe(true);
});
