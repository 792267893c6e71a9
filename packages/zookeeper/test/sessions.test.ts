import { type BedOf, eventually, Testbed } from '@quorate/testbed';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, Sessions, type ZooKeeper } from '../src/index.ts';
import { codeOf } from './conformance.ts';
import { memoryInUse } from './memory-in-use.ts';

let bed: BedOf<{ zookeeper: { members: 1; config: { tickTime: number } } }>;
const sessionTimeout = 1_000;

beforeAll(async () => {
  bed = await Testbed.start({ zookeeper: { members: 1, config: { tickTime: 100 } } });
});
afterAll(() => bed?.stop());

let links = 0;

/** On a link of their own, so that one session after the other can be ended. */
async function sessionsOnLink() {
  links += 1;
  const link = bed.link(`sessions-${links}`, 'zookeeper-1');
  const sessions = new Sessions(await link.address, { sessionTimeout });
  const lose = async (zk: ZooKeeper): Promise<void> => {
    await link.set({ refuse: true });
    await eventually('the session is over', () => zk.lost.aborted);
    await link.heal();
  };
  return { sessions, link, lose };
}

test.concurrent('work begins anew in each session, with its signal, and ends with the sessions', async () => {
  const { sessions, lose } = await sessionsOnLink();
  const seen: bigint[] = [];
  const ended: unknown[] = [];
  const working = sessions.each(async (zk, { signal }) => {
    await zk.create(`/present-${zk.id}`, '', { mode: 'ephemeral' });
    seen.push(zk.id);
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    ended.push(signal.reason);
  });
  for (let round = 1; round <= 3; round += 1) {
    await eventually('there is a session', () => seen.length === round);
    expect(sessions.health()).toMatchObject({ status: 'pass' });
    await lose(await sessions.session());
    await eventually('the work has ended', () => ended.length === round);
    expect(ended[round - 1]).toMatchObject({ code: 'session-lost' });
  }
  await eventually('there is another', () => seen.length === 4);
  expect(new Set(seen).size).toBe(4);
  await using other = await connect(bed.zookeeper.url);
  const present = `/present-${seen.at(-1)}`;
  await eventually('its node is there', () => other.exists(present));
  await sessions.stop();
  await working;
  expect(await other.exists(present)).toBeUndefined();
  expect(sessions.health()).toEqual({ status: 'fail', detail: 'stopped' });
  expect(await codeOf(sessions.session())).toBe('sessions-stopped');
  expect(await codeOf(sessions.each(() => undefined))).toBe('sessions-stopped');
  await sessions.stop();
});

test.concurrent('work that is done is done again in the next session only', async () => {
  const { sessions, lose } = await sessionsOnLink();
  await using _ = sessions;
  let done = 0;
  const stop = new AbortController();
  const count = (): void => {
    done += 1;
  };
  const working = sessions.each(count, { signal: stop.signal });
  await eventually('it is done', () => done === 1);
  const zk = await sessions.session();
  // As long as it takes to be sure that it is not done in this session again.
  for (let round = 0; round < 20; round += 1) await zk.sync('/');
  expect(done).toBe(1);
  await lose(zk);
  await eventually('it is done again', () => done === 2);
  stop.abort();
  await working;
  expect((await sessions.session()).lost.aborted).toBe(false);
});

test.concurrent('work that fails is done again, later each time, unless somebody says otherwise', async () => {
  const { sessions } = await sessionsOnLink();
  await using _ = sessions;
  const times: number[] = [];
  const failing = (): never => {
    times.push(performance.now());
    throw new Error(`failure ${times.length}`);
  };
  const asked: unknown[] = [];
  const onFailure = (error: unknown, attempt: number): 'retry' | 'stop' => {
    asked.push([(error as Error).message, attempt]);
    return attempt < 3 ? 'retry' : 'stop';
  };
  await expect(sessions.each(failing, { onFailure })).rejects.toThrow('failure 3');
  expect(asked).toEqual([1, 2, 3].map((attempt) => [`failure ${attempt}`, attempt]));
  const [first = 0, second = 0, third = 0] = times;
  expect(second - first).toBeGreaterThanOrEqual(49);
  expect(third - second).toBeGreaterThanOrEqual(99);
  await expect(sessions.each(failing, { onFailure: 'stop' })).rejects.toThrow('failure 4');
  const stop = new AbortController();
  const working = sessions.each(failing, { signal: stop.signal });
  await eventually('it is tried again', () => times.length >= 6);
  stop.abort();
  await working;
});

test.concurrent('failures are in a row until work has gone well, or its session is over', async () => {
  const { sessions, lose } = await sessionsOnLink();
  await using _ = sessions;
  const attempts: number[] = [];
  let works = 0;
  const failedIn = new Set<bigint>();
  const working = sessions.each(
    async (zk, { signal }) => {
      if (!failedIn.has(zk.id)) {
        failedIn.add(zk.id);
        throw new Error('not yet');
      }
      works += 1;
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      throw signal.reason;
    },
    {
      // An answer may take its time.
      onFailure: async (_error, attempt) => {
        attempts.push(attempt);
        return works < 3 ? 'retry' : 'stop';
      },
    },
  );
  working.catch(() => undefined);
  for (let round = 1; round <= 3; round += 1) {
    await eventually('it works', () => works === round);
    await lose(await sessions.session());
  }
  await expect(working).rejects.toThrow('not yet');
  expect(attempts).toEqual([1, 1, 1, 1]);
  const nonsense = sessions.each(() => Promise.reject(new Error('x')), { onFailure: () => 'again' as never });
  await expect(nonsense).rejects.toThrow('onFailure: expected');
});

test.concurrent('what cannot be started is refused or rejected, and leaves nothing', async () => {
  expect(() => new Sessions('')).toThrow('servers: expected');
  expect(() => new Sessions('a:1', { sessionTimeout: 1 })).toThrow('sessionTimeout: expected');
  expect(() => new Sessions('a:1', { timeout: 5 } as object)).toThrow('options.timeout: expected nothing');
  const { sessions } = await sessionsOnLink();
  await expect(sessions.each(5 as never)).rejects.toThrow('work: expected a function');
  await expect(sessions.each(() => undefined, { onFailure: 'x' as never })).rejects.toThrow('onFailure: expected');
  await sessions.stop();

  const refused = new Sessions(bed.zookeeper.url, { auth: { scheme: 'no-such-scheme', credentials: 'x' } });
  expect(await codeOf(refused.each(() => undefined))).toBe('auth-failed');
  expect(refused.health()).toMatchObject({ status: 'fail', detail: expect.stringContaining('no-such-scheme') });
  await expect(refused.start()).rejects.toMatchObject({ code: 'auth-failed' });

  const nobody = new Sessions('127.0.0.1:1');
  const controller = new AbortController();
  const starting = nobody.start(controller.signal);
  controller.abort(new Error('enough'));
  await expect(starting).rejects.toThrow('enough');
  expect(await codeOf(nobody.session())).toBe('sessions-stopped');
});

test.concurrent('stop waits for work that still ends, and is quick where there is no session', async () => {
  const { sessions } = await sessionsOnLink();
  let ended = false;
  const working = sessions.each(async (zk, { signal }) => {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    // The session is there until the work has ended.
    await zk.sync('/');
    ended = true;
  });
  await sessions.session();
  await sessions.stop();
  expect(ended).toBe(true);
  await working;
  const nobody = new Sessions('127.0.0.1:1');
  const waiting = nobody.each(() => undefined);
  await nobody.stop();
  await waiting;
});

// These measure what this process uses, or take the server away: nothing else goes on meanwhile.

test('who gives up waiting for a session leaves nothing behind', async () => {
  const sessions = new Sessions('127.0.0.1:1');
  const wait = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 1) {
      const enough = new AbortController();
      const waiting = sessions.session({ signal: enough.signal }).catch(() => undefined);
      enough.abort();
      await waiting;
    }
  };
  await wait(2_000);
  const before = await memoryInUse();
  await wait(10_000);
  expect(((await memoryInUse()) - before) / 10_000).toBeLessThan(100);
  await sessions.stop();
});

test('an ensemble that is away is waited for, without much work, and found soon when it is back', async () => {
  const { sessions } = await sessionsOnLink();
  await using _ = sessions;
  let began = 0;
  const stop = new AbortController();
  const working = sessions.each(
    async (_zk, { signal }) => {
      began = performance.now();
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    },
    { signal: stop.signal },
  );
  await eventually('there is a session', () => began > 0);
  const zk = await sessions.session();
  await bed.zookeeper.member(1).kill();
  await eventually('the session is over', () => zk.lost.aborted);
  const before = process.cpuUsage();
  const away = performance.now();
  await eventually('it has been away for a while', () => performance.now() - away > 3_000);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1_000 / (performance.now() - away)).toBeLessThan(0.2);
  expect(sessions.health()).toMatchObject({ status: 'fail', detail: expect.stringContaining('no session') });
  await bed.zookeeper.member(1).start();
  const back = performance.now();
  // It may have found it before the bed did.
  await eventually('it works again', () => began > away, { every: 5 });
  expect(began - back).toBeLessThan(2_000);
  stop.abort();
  await working;
});
