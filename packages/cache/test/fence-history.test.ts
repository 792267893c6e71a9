import { check, History, Relay, seeded, verdictText } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import type { Cache, Namespace } from '../src/index.ts';
import { caches, clientOf, hearing } from './fixture.ts';

const terms = 250;
/** How few cycles tell something. A slow machine cuts more connections in one term than a quick one. */
const fewest = 60;
const keys = ['k0', 'k1'];

// At the same time: most of what they do is to wait, for connections that come back.
test.concurrent.for(['the cache', 'a namespace'] as const)(
  'holders whose terms overlap, over connections that are cut, lose no update that was acknowledged: %s',
  async (where, { servers }) => {
    const seed = Number(process.env.QUORATE_SEED ?? Math.trunc(Math.random() * 2 ** 31));
    const random = seeded(seed);
    const url = new URL(servers.QUORATE_REDIS ?? '');
    await using stack = new AsyncDisposableStack();
    const c = stack.use(caches(url.href));
    const open = async (name: string): Promise<Cache> => {
      const chance = random.fork(name);
      const relay = stack.use(
        await Relay.to(url.host, () => ({ answer: () => (chance.next() < 0.01 ? 'cut' : 'pass') })),
      );
      const through = new URL(url);
      through.host = relay.address;
      const own = clientOf(through.href, { retryStrategy: () => 5 });
      stack.defer(() => own.disconnect());
      return await c.cache({ redis: own, redisTimeout: 300 });
    };
    const all = await Promise.all(['a', 'b', 'c'].map(open));
    const place = (cache: Cache): Cache | Namespace => (where === 'the cache' ? cache : cache.namespace('n'));
    const history = new History();
    let [token, acknowledged] = [0n, 0];
    const holder = async (cache: Cache, name: string): Promise<void> => {
      const chance = random.fork(name);
      const mine = place(cache);
      while (token < terms || acknowledged < fewest) {
        token += 1n;
        const fence = token;
        for (let turn = 0; turn < 3; turn += 1) {
          const key = chance.pick(keys);
          try {
            const before = await mine.get(key, () => 0, { fence });
            // As long as another holder needs for a few steps: by then this one may have been replaced.
            for (let step = chance.integer(0, 3); step > 0; step -= 1) await c.redis.ping();
            const write = { key, by: 1n, token: fence };
            const output = (): bigint => BigInt(before + 1);
            await history.run(name, 'add', write, () => mine.set(key, before + 1, { fence }), { output });
            acknowledged += 1;
          } catch (error) {
            if ((error as { code?: unknown }).code === 'fenced') break;
            await hearing(cache);
          }
        }
      }
    };
    await Promise.all(all.flatMap((cache, index) => [1, 2].map((n) => holder(cache, `${index}/${n}`))));
    const last = await c.cache();
    await hearing(last);
    const auditor = place(last);
    for (const key of keys) {
      const read = (): Promise<number> => auditor.get(key, () => 0, { fence: token + 1n });
      await history.run('auditor', 'read', { key }, read, { output: (count) => BigInt(count) });
    }
    for (const verdict of [check.noLostUpdates(history), check.tokensIncrease(history)]) {
      expect(verdict.result, `seed ${seed}: ${verdictText(verdict)}`).toBe('valid');
    }
  },
);
