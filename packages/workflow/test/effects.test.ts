import { PGlite } from '@electric-sql/pglite';
import { bedTest } from '@quorate/testbed/vitest';
import { connect } from '@quorate/zookeeper';
import { Pool } from 'pg';
import { afterAll, describe, expect } from 'vitest';
import { type Effects, PostgresEffects, ZooKeeperEffects } from '../src/activity/index.ts';
import { currentStep, type Step } from '../src/activity/step.ts';
import type { Queryable } from '../src/effects/postgres-connection.ts';

const test = bedTest({ postgres: true, zookeeper: 1 });

/** Two doors to one store, a place where effects are counted, and a way to count them. */
interface Store extends AsyncDisposable {
  readonly one: Effects<unknown>;
  readonly other: Effects<unknown>;
  /** An effect: adds to what is there, through the transaction. */
  readonly add: (name: string) => (transaction: unknown) => Promise<string>;
  readonly take: (name: string) => (transaction: unknown) => Promise<void>;
  count(name: string): Promise<number>;
}

function sql(one: PostgresEffects, other: PostgresEffects, database: Queryable, close: () => Promise<void>): Store {
  const change = (name: string, by: number) => async (transaction: unknown) => {
    await (transaction as Queryable).query(
      `INSERT INTO marks (name, count) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET count = marks.count + $2`,
      [name, by],
    );
  };
  return {
    one: one as Effects<unknown>,
    other: other as Effects<unknown>,
    add: (name) => async (transaction) => {
      await change(name, 1)(transaction);
      return `added ${name}`;
    },
    take: (name) => change(name, -1),
    count: async (name) => {
      const { rows } = await database.query('SELECT count FROM marks WHERE name = $1', [name]);
      return Number((rows[0] as { count?: number } | undefined)?.count ?? 0);
    },
    [Symbol.asyncDispose]: close,
  };
}

const marks = 'CREATE TABLE IF NOT EXISTS marks (name text PRIMARY KEY, count integer NOT NULL)';

// It takes a second to begin.
let embedded: Promise<PGlite> | undefined;
afterAll(async () => (await embedded)?.close());

const stores: Record<string, (bed: { postgres: { url: string }; zookeeper: { url: string } }) => Promise<Store>> = {
  PostgreSQL: async ({ postgres }) => {
    const pool = new Pool({ connectionString: postgres.url, max: 6 });
    const [one, other] = [new PostgresEffects(pool), new PostgresEffects(pool)];
    // At the same time, as when two workers start.
    await Promise.all([one.create(), other.create()]);
    await pool.query(marks);
    return sql(one, other, pool, () => pool.end());
  },
  PGlite: async () => {
    embedded ??= PGlite.create();
    const database = await embedded;
    const [one, other] = [new PostgresEffects(database), new PostgresEffects(database)];
    await one.create();
    await other.create();
    await database.query(marks);
    return sql(one, other, database, async () => {});
  },
  ZooKeeper: async ({ zookeeper }) => {
    const stack = new AsyncDisposableStack();
    const zk = stack.use(await connect(zookeeper.url));
    const second = stack.use(await connect(zookeeper.url));
    const [one, other] = [new ZooKeeperEffects(zk), new ZooKeeperEffects(second)];
    await Promise.all([one.create(), other.create()]);
    type Transaction = ReturnType<typeof zk.transaction>;
    // Sequential names: each effect is a node of its own.
    await zk.create('/marks', '', { parents: true }).catch(() => {});
    return {
      one: one as Effects<unknown>,
      other: other as Effects<unknown>,
      add: (name) => async (transaction) => {
        (transaction as Transaction).create(`/marks/${name}-`, '', { mode: 'persistent-sequential' });
        return `added ${name}`;
      },
      take: (name) => async (transaction) => {
        const { names } = await zk.children('/marks');
        const [first = ''] = names.filter((one) => one.startsWith(`${name}-`));
        (transaction as Transaction).delete(`/marks/${first}`);
      },
      count: async (name) => {
        await zk.sync('/marks');
        return (await zk.children('/marks')).names.filter((one) => one.startsWith(`${name}-`)).length;
      },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  },
};

describe.each(Object.keys(stores))('%s', (kind) => {
  const open = stores[kind] as (typeof stores)[string];

  test('an effect happens once for its key, and its result is given again', async ({ bed }) => {
    await using store = await open(bed as never);
    for (const effects of [store.one, store.one, store.other])
      expect(await effects.once(store.add('one'), { key: 'k/1' })).toBe('added one');
    expect(await store.one.once(() => 'something else', { key: 'k/1' })).toBe('added one');
    expect(await store.count('one')).toBe(1);
    await store.other.once(store.add('one'), { key: 'k/2' });
    expect(await store.count('one')).toBe(2);
  });

  test('attempts at the same time: one does it, all have its result', async ({ bed }) => {
    await using store = await open(bed as never);
    const given = await Promise.all(
      [store.one, store.other, store.one, store.other].map((effects) =>
        effects.once(store.add('race'), { key: 'race' }),
      ),
    );
    expect(given).toEqual(Array(4).fill('added race'));
    expect(await store.count('race')).toBe(1);
  });

  test('an effect that fails has not happened, and can be tried again', async ({ bed }) => {
    await using store = await open(bed as never);
    const failing = async (transaction: unknown): Promise<never> => {
      await store.add('failing')(transaction);
      throw new Error('not now');
    };
    await expect(store.one.once(failing, { key: 'failing' })).rejects.toThrow('not now');
    expect(await store.count('failing')).toBe(0);
    await store.one.once(store.add('failing'), { key: 'failing' });
    expect(await store.count('failing')).toBe(1);
  });

  test('within an activity: a second effect needs a key of its own, also beside the first; one that failed may be tried again', async ({
    bed,
  }) => {
    await using store = await open(bed as never);
    const running = (key: string): Step => ({
      key,
      undoes: undefined,
      token: undefined,
      attempt: 1,
      signal: new AbortController().signal,
    });
    const one = store.add('alone-one');
    const other = store.add('alone-other');
    await currentStep.run(running('alone'), async () => {
      const failing = (): Promise<never> => Promise.reject(new Error('not now'));
      await expect(store.one.once(failing)).rejects.toThrow('not now');
      const both = await Promise.allSettled([store.one.once(one), store.one.once(other)]);
      expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
      await expect(store.one.once(other)).rejects.toMatchObject({ code: 'invalid-argument', argument: 'key' });
      await store.one.once(other, { key: 'alone/other' });
      await expect(store.one.undo(store.take('alone-one'))).rejects.toMatchObject({ code: 'nothing-to-undo' });
    });
    // The next attempt has the result of the first one.
    expect(await currentStep.run(running('alone'), () => store.one.once(one))).toBe('added alone-one');
    expect([await store.count('alone-one'), await store.count('alone-other')]).toEqual([1, 1]);
  });

  test('what was done is undone once, and stays undone', async ({ bed }) => {
    await using store = await open(bed as never);
    await store.one.once(store.add('undo'), { key: 'undo' });
    const results: unknown[] = [];
    const undo = async (transaction: unknown, result: unknown): Promise<void> => {
      results.push(result);
      await store.take('undo')(transaction);
    };
    expect(await store.other.undo(undo, { keys: ['undo'] })).toBe(1);
    expect(await store.one.undo(undo, { keys: ['undo'] })).toBe(0);
    expect(results).toEqual(['added undo']);
    expect(await store.count('undo')).toBe(0);
    await expect(store.one.once(store.add('undo'), { key: 'undo' })).rejects.toMatchObject({
      code: 'revoked',
      happened: 'no',
      retryable: false,
    });
  });

  test('of several keys each is undone', async ({ bed }) => {
    await using store = await open(bed as never);
    const keys = ['several-1', 'several-2', 'several-3'];
    for (const key of keys.slice(1)) await store.one.once(store.add('several'), { key });
    expect(await store.other.undo(store.take('several'), { keys })).toBe(2);
    expect(await store.count('several')).toBe(0);
    await expect(store.one.once(store.add('several'), { key: 'several-1' })).rejects.toMatchObject({ code: 'revoked' });
  });

  test('what was undone before it was done can not be done any more', async ({ bed }) => {
    await using store = await open(bed as never);
    const undo = store.take('early');
    expect(await store.one.undo(undo, { keys: ['early'] })).toBe(0);
    await expect(store.other.once(store.add('early'), { key: 'early' })).rejects.toMatchObject({ code: 'revoked' });
    expect(await store.count('early')).toBe(0);
  });

  test('an effect that is on its way while it is undone: either it was done and is undone, or it is not done', async ({
    bed,
  }) => {
    await using store = await open(bed as never);
    for (let round = 0; round < 10; round += 1) {
      const key = `crossing-${round}`;
      const [done, undone] = await Promise.all([
        store.one.once(store.add(key), { key }).then(
          () => true,
          (error: unknown) => {
            expect(error).toMatchObject({ code: 'revoked' });
            return false;
          },
        ),
        store.other.undo(store.take(key), { keys: [key] }),
      ]);
      expect(undone).toBe(done ? 1 : 0);
      expect(await store.count(key)).toBe(0);
    }
  });

  test('who comes with an older token is refused, before it can read', async ({ bed }) => {
    await using store = await open(bed as never);
    const fence = (token: bigint): { name: string; token: bigint } => ({ name: 'dataset', token });
    let read = 0;
    const effect = (): number => {
      read += 1;
      return read;
    };
    await store.one.once(effect, { key: 'f/1', fence: fence(5n) });
    await store.one.once(effect, { key: 'f/2', fence: fence(5n) });
    await store.other.once(effect, { key: 'f/3', fence: fence(6n) });
    await expect(store.one.once(effect, { key: 'f/4', fence: fence(5n) })).rejects.toMatchObject({
      code: 'fenced',
      happened: 'no',
      retryable: false,
    });
    expect(read).toBe(3);
    // Another name is another fence.
    await store.one.once(effect, { key: 'f/5', fence: { name: 'other', token: 1n } });
  });

  test('an older holder that has read does not write over what a newer one has written', async ({ bed }) => {
    await using store = await open(bed as never);
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    const { promise: reading, resolve: reads } = Promise.withResolvers<void>();
    const order: string[] = [];
    const old = store.one.once(
      async (transaction) => {
        reads();
        await held;
        await store.add('fence-race')(transaction);
        order.push('old');
      },
      { key: 'race/old', fence: { name: 'race', token: 1n } },
    );
    await reading;
    const newer = store.other.once(
      async (transaction) => {
        order.push('new');
        await store.add('fence-race')(transaction);
      },
      { key: 'race/new', fence: { name: 'race', token: 2n } },
    );
    // Where the fence is a lock the newer one waits; where it is a version the old one is refused.
    await Promise.race([newer, new Promise((resolve) => setTimeout(resolve, 50))]);
    letGo();
    const outcome = await old.then(
      () => 'done',
      (error: { code: string }) => error.code,
    );
    await newer;
    expect([outcome, order.at(-1)]).toEqual(order.at(-1) === 'new' ? ['done', 'new'] : ['fenced', 'old']);
    expect(await store.count('fence-race')).toBe(outcome === 'done' ? 2 : 1);
  });

  test('old keys are forgotten, and only those', async ({ bed }) => {
    await using store = await open(bed as never);
    await store.one.once(store.add('old'), { key: 'forget/1' });
    expect(await store.one.forget('1h')).toBe(0);
    expect(await store.one.forget(0)).toBeGreaterThanOrEqual(1);
    await store.one.once(store.add('old'), { key: 'forget/1' });
    expect(await store.count('old')).toBe(2);
  });

  test('what can not be kept, and what is no key, is refused before anything is done', async ({ bed }) => {
    await using store = await open(bed as never);
    await expect(store.one.once(() => 1n, { key: 'bad' })).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(store.one.once(store.add('bad'), { key: '' })).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(store.one.once(store.add('bad'))).rejects.toMatchObject({ code: 'no-activity' });
    await expect(store.one.once(store.add('bad'), { key: 'bad', fence: 'x' })).rejects.toMatchObject({
      code: 'no-activity',
    });
    expect(await store.count('bad')).toBe(0);
    expect(await store.one.once(() => undefined, { key: 'nothing' })).toBe(undefined);
    expect(await store.one.once(() => 2, { key: 'nothing' })).toBe(undefined);
  });
});
