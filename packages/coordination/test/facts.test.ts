import { spawn } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  type BedOf,
  check,
  eventually,
  History,
  lamportSvg,
  seeded,
  standsStill,
  Testbed,
  type Verdict,
} from '@quorate/testbed';
import { connect, type TracedRequest, type ZooKeeper } from '@quorate/zookeeper';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { Election, type Lease, type LeaseEndedError, Lock, ReadWriteLock } from '../src/index.ts';
import { childrenOf, codeOf, freshPath } from './conformance/store.ts';
import { breakable, loseReplies, loseRequests } from './cut-off.ts';

// What correctness has cost others, one by one. Short ticks, so that sessions may be short.
let bed: BedOf<{ zookeeper: { members: 1; config: { tickTime: number; maxSessionTimeout: number } } }>;

beforeAll(async () => {
  bed = await Testbed.start({ zookeeper: { members: 1, config: { tickTime: 100, maxSessionTimeout: 20_000 } } });
});
afterAll(() => bed?.stop());
afterEach(() => vi.restoreAllMocks());

const open = (sessionTimeout = 2_000): Promise<ZooKeeper> => connect(bed.zookeeper.url, { sessionTimeout });
const watchesNow = (): Promise<number> => bed.zookeeper.figure('zk_watch_count');

interface Seen {
  readonly operation: string;
  readonly sessionId: bigint;
}

/** Every request while `work` runs, by what it asks. */
async function requestsOf(work: (seen: readonly Seen[]) => Promise<void>): Promise<Seen[]> {
  const seen: Seen[] = [];
  const note = (message: unknown): void => {
    const { operation, sessionId } = message as TracedRequest;
    // Signs of life: they come with time, not with what is done.
    if (operation === 'sync') return;
    seen.push({ operation, sessionId });
  };
  subscribe('tracing:quorate.zookeeper.request:start', note);
  try {
    await work(seen);
  } finally {
    unsubscribe('tracing:quorate.zookeeper.request:start', note);
  }
  return seen;
}

/** Sessions that wait in line behind `zk`, one after the other. */
async function lineBehind(zk: ZooKeeper, path: string, sessions: readonly ZooKeeper[]): Promise<Promise<Lease>[]> {
  const waiting: Promise<Lease>[] = [];
  for (const session of sessions) {
    waiting.push(new Lock(session, path).acquire());
    await eventually('a place in line', async () => (await childrenOf(zk, path)).length === waiting.length + 1);
  }
  // Each of them has placed its watch.
  await eventually('watches', async () => (await watchesNow()) >= sessions.length);
  return waiting;
}

test.each([5, 20])(
  'fact 1: no herd: with %i waiters one release wakes one of them, and no watch is left',
  async (n) => {
    await using zk = await open();
    const path = freshPath('herd');
    const before = await watchesNow();
    const held = await new Lock(zk, path).acquire();
    const sessions = await Promise.all(Array.from({ length: n }, () => open()));
    const waiting = await lineBehind(zk, path, sessions);
    const requests = await requestsOf(async () => {
      await held.release();
      await waiting[0];
      for (const session of sessions) await session.get('/');
    });
    // The holder deletes, the one behind it looks again; then each says that it has nothing more to do.
    expect(requests.map(({ operation }) => operation).filter((operation) => operation !== 'get')).toEqual([
      'delete',
      'children',
    ]);
    expect(requests.filter(({ operation }) => operation === 'get')).toHaveLength(n);
    for (const lease of waiting) await (await lease).release();
    expect(await watchesNow()).toBe(before);
    await Promise.all(sessions.map((session) => session.close()));
  },
);

describe.concurrent('fact 2: the reply of a create is lost', () => {
  test('exactly one node, and whoever asked gets it', async () => {
    await using other = await open();
    await using mine = await breakable(bed);
    const path = freshPath('lost-reply');
    await other.create(path);
    let acquired: Promise<Lease> | undefined;
    await loseReplies(
      mine,
      () => {
        acquired = new Lock(mine.zk, path).acquire();
      },
      async () => (await childrenOf(other, path)).length === 1,
    );
    const lease = await acquired;
    const nodes = await childrenOf(other, path);
    expect(nodes).toHaveLength(1);
    expect((await other.get(`${path}/${nodes[0]}`)).stat.czxid).toBe(lease?.token);
    await lease?.release();
    expect(await childrenOf(other, path)).toEqual([]);
  });

  test('the request is lost instead: again exactly one', async () => {
    await using other = await open();
    await using mine = await breakable(bed);
    const path = freshPath('lost-request');
    await other.create(path);
    let acquired: Promise<Lease> | undefined;
    await loseRequests(mine, () => {
      acquired = new Lock(mine.zk, path).acquire();
    });
    await using _ = await (acquired as Promise<Lease>);
    expect(await childrenOf(other, path)).toHaveLength(1);
  });

  test('and the wait is aborted: the node is deleted in the background', async () => {
    await using other = await open();
    await using mine = await breakable(bed);
    const path = freshPath('lost-and-aborted');
    await other.create(path);
    const stop = new AbortController();
    let code: Promise<string> | undefined;
    await loseReplies(
      mine,
      () => {
        code = codeOf(new Lock(mine.zk, path).acquire({ signal: stop.signal }));
      },
      async () => {
        if ((await childrenOf(other, path)).length === 0) return false;
        stop.abort(new Error('enough'));
        return true;
      },
    );
    expect(await code).toContain('enough');
    await eventually('nothing left', async () => (await childrenOf(other, path)).length === 0);
  });
});

test('fact 2: the wait is aborted while it looks for the node of a create whose reply was lost: it is deleted all the same', async () => {
  await using other = await open();
  await using mine = await breakable(bed);
  const path = freshPath('looking');
  await other.create(path);
  const stop = new AbortController();
  let code: Promise<string> | undefined;
  await loseReplies(
    mine,
    () => {
      code = codeOf(new Lock(mine.zk, path).acquire({ signal: stop.signal }));
    },
    async () => (await childrenOf(other, path)).length === 1,
    () => {
      // Those who were told of the lost connection have gone on to look for the node.
      setImmediate(() => stop.abort(new Error('enough')));
    },
  );
  expect(await code).toContain('enough');
  await eventually('nothing left', async () => (await childrenOf(other, path)).length === 0);
});

test('fact 3: the node of a previous session, though it has our id, is not ours', async () => {
  await using previous = await open();
  await using zk = await open();
  const path = freshPath('previous');
  const election = freshPath('previous-election');
  const [old, term] = [
    await new Lock(previous, path, { id: 'node-1' }).acquire(),
    await new Election(previous, election, { id: 'node-1' }).campaign(),
  ];
  expect(await new Lock(zk, path, { id: 'node-1' }).tryAcquire()).toBeUndefined();
  const [lock, lead] = [
    new Lock(zk, path, { id: 'node-1' }).acquire(),
    new Election(zk, election, { id: 'node-1' }).campaign(),
  ];
  await eventually('both stand behind it', async () => (await childrenOf(zk, election)).length === 2);
  await previous.close();
  await using lease = await lock;
  await using next = await lead;
  expect(lease.token).toBeGreaterThan(old.token);
  expect(next.token).toBeGreaterThan(term.token);
});

test('fact 4: whatever comes between campaigns, aborts and broken connections, never two terms at once', async () => {
  const seed = 4;
  const chance = seeded(seed);
  await using rival = await open();
  await using mine = await breakable(bed);
  const path = freshPath('terms');
  const election = new Election(mine.zk, path, { id: 'mine' });
  let terms = 0;
  let most = 0;
  let led = 0;
  const over = new AbortController();
  const rivalry = new Election(rival, path, { id: 'rival' }).lead(async () => turn(), { signal: over.signal });
  for (let round = 0; round < 40; round += 1) {
    const stop = new AbortController();
    const leading = election.lead(
      async (lease) => {
        terms += 1;
        led += 1;
        most = Math.max(most, terms);
        for (let step = chance.integer(0, 3); step > 0 && !lease.signal.aborted; step -= 1) await turn();
        terms -= 1;
      },
      { signal: stop.signal },
    );
    for (let step = chance.integer(0, 12); step > 0; step -= 1) await mine.zk.get('/').catch(() => undefined);
    if (chance.next() < 0.5) await mine.link.reset();
    for (let step = chance.integer(0, 5); step > 0; step -= 1) await turn();
    stop.abort();
    await leading;
  }
  over.abort();
  await rivalry;
  expect(most, `seed ${seed}`).toBe(1);
  expect(led).toBeGreaterThan(5);
  await eventually('no node left', async () => (await childrenOf(rival, path)).length === 0);
});

describe.concurrent('fact 5: suspended is not lost, and not safe either', () => {
  test('the network of a holder is cut without a reset: its signal aborts before anybody else can hold', async () => {
    await using other = await open();
    await using mine = await breakable(bed);
    const path = freshPath('black-hole');
    const lease = await new Lock(mine.zk, path).acquire();
    const ended = new Promise<number>((resolve) => {
      lease.signal.addEventListener('abort', () => resolve(performance.now()));
    });
    const next = new Lock(other, path).acquire().then((its) => ({ its, at: performance.now() }));
    await eventually('a waiter', async () => (await childrenOf(other, path)).length === 2);
    await mine.link.set({ blackHole: true });
    const begin = performance.now();
    const [at, got] = await Promise.all([ended, next]);
    expect((lease.signal.reason as LeaseEndedError).reason).toBe('suspended');
    expect(at).toBeLessThan(got.at);
    // Two thirds of the session timeout, and what a busy machine adds.
    expect(at - begin).toBeLessThan(2_000);
    await got.its.release();
  });

  test('whoever chose to wait holds over a short break, and not beyond what its own clock allows', async () => {
    await using other = await open();
    await using mine = await breakable(bed);
    const path = freshPath('waits');
    const lease = await new Lock(mine.zk, path, { onSuspended: 'wait' }).acquire();
    await mine.link.reset();
    await mine.zk.get('/');
    expect(lease.signal.aborted).toBe(false);
    const next = new Lock(other, path).acquire();
    await eventually('a waiter', async () => (await childrenOf(other, path)).length === 2);
    let got = false;
    const overlap = next.then(() => {
      got = true;
      return !lease.signal.aborted;
    });
    lease.signal.addEventListener('abort', () => expect(got).toBe(false));
    await mine.link.set({ blackHole: true });
    expect(await overlap, 'two held at once').toBe(false);
    expect((lease.signal.reason as LeaseEndedError).reason).toBe('suspended');
    await (await next).release();
  });

  test('a break that is over at once still ends the lease of whoever did not choose to wait', async () => {
    await using mine = await breakable(bed);
    const path = freshPath('short');
    const lease = await new Lock(mine.zk, path).acquire();
    await mine.link.reset();
    await mine.zk.get('/');
    expect((lease.signal.reason as LeaseEndedError).reason).toBe('suspended');
    expect(await codeOf((async () => lease.guard(mine.zk.transaction()))())).toBe('lease-suspended');
    await lease.release();
    expect(await childrenOf(mine.zk, path)).toEqual([]);
  });
});

describe.concurrent('fact 6: a release that fails does not forget the node', () => {
  test('the reply of the delete is lost', async () => {
    await using other = await open();
    await using mine = await breakable(bed);
    const path = freshPath('release');
    const lease = await new Lock(mine.zk, path).acquire();
    let released: Promise<void> | undefined;
    await loseReplies(
      mine,
      () => {
        released = lease.release();
      },
      async () => (await childrenOf(other, path)).length === 0,
    );
    await released;
  });

  test('the delete itself is lost: it is repeated until the node is gone', async () => {
    await using other = await open();
    await using mine = await breakable(bed);
    const path = freshPath('release');
    const lease = await new Lock(mine.zk, path).acquire();
    let released: Promise<void> | undefined;
    await loseRequests(mine, () => {
      released = lease.release();
    });
    await released;
    expect(await childrenOf(other, path)).toEqual([]);
  });

  test('whoever does not want to wait for it need not: it goes on in the background', async () => {
    await using other = await open();
    await using mine = await breakable(bed);
    const path = freshPath('release');
    const lease = await new Lock(mine.zk, path).acquire();
    await mine.link.set({ blackHole: true });
    await expect(lease.release({ signal: AbortSignal.timeout(20) })).rejects.toThrow('timeout');
    expect(await childrenOf(other, path)).toHaveLength(1);
    await mine.link.reset();
    await mine.link.heal();
    await eventually('the node is gone', async () => (await childrenOf(other, path)).length === 0);
  });

  test('the session ends first: the node goes with it', async () => {
    await using other = await open();
    await using mine = await breakable(bed);
    const path = freshPath('release');
    const lease = await new Lock(mine.zk, path).acquire();
    await mine.link.set({ blackHole: true });
    await lease.release();
    expect(mine.zk.state).toBe('lost');
    await eventually('the node is gone', async () => (await childrenOf(other, path)).length === 0);
  });
});

describe.concurrent('fact 7: after waking, look again', () => {
  test('woken because the one before gave up: it is not our turn', async () => {
    await using zk = await open();
    await using middle = await open();
    await using last = await open();
    const path = freshPath('woken');
    const held = await new Lock(zk, path).acquire();
    const stop = new AbortController();
    const givesUp = codeOf(new Lock(middle, path).acquire({ signal: stop.signal }));
    await eventually('two in line', async () => (await childrenOf(zk, path)).length === 2);
    let got = false;
    const next = new Lock(last, path).acquire().then((lease) => {
      got = true;
      return lease;
    });
    await eventually('three in line', async () => (await childrenOf(zk, path)).length === 3);
    await requestsOf(async (seen) => {
      stop.abort(new Error('enough'));
      await givesUp;
      const looked = ({ operation, sessionId }: Seen): boolean => operation === 'children' && sessionId === last.id;
      await eventually('it has looked again', () => seen.some(looked));
      // And has its answer: those of one session come in order.
      await last.sync(path);
    });
    expect(got).toBe(false);
    await held.release();
    await (await next).release();
  });

  test('a wait whose session dies does not end with a lease', async () => {
    await using zk = await open();
    await using mine = await breakable(bed);
    const path = freshPath('died');
    const held = await new Lock(zk, path).acquire();
    const waiting = codeOf(new Lock(mine.zk, path).acquire());
    await eventually('a waiter', async () => (await childrenOf(zk, path)).length === 2);
    await mine.link.set({ blackHole: true });
    await held.release();
    expect(await waiting).toBe('session-lost');
  });

  test('a turn that comes while the connection is broken is a lease when it is back, not before', async () => {
    await using zk = await open();
    await using mine = await breakable(bed);
    const path = freshPath('broken');
    const held = await new Lock(zk, path).acquire();
    const waiting = new Lock(mine.zk, path).acquire();
    await eventually('a waiter', async () => (await childrenOf(zk, path)).length === 2);
    await loseRequests(mine, () => void held.release());
    await using lease = await waiting;
    expect(mine.zk.state).toBe('connected');
    expect(lease.signal.aborted).toBe(false);
  });
});

describe.concurrent('fact 8: a lock alone is not mutual exclusion: a stopped process wakes up and writes', () => {
  test('without the guard its write is taken, and an update is lost', async () => {
    const { history, verdict } = await stoppedHolder('bare');
    expect(verdict).toMatchObject({ result: 'invalid' });
    // The lock has kept its promise all the same.
    expect(check.exclusive(history, { grace: 1_000 })).toMatchObject({ result: 'valid' });
  });

  test('with the guard it is refused, and nothing is lost', async () => {
    const { history, verdict } = await stoppedHolder('guarded');
    expect(verdict).toMatchObject({ result: 'valid' });
    const late = history.operations.find(({ process }) => process === 'ann');
    expect(late).toMatchObject({ outcome: 'failed', error: expect.stringContaining('TransactionError') });
  });

  /** Ann is stopped for longer than her session while she holds the lock; Ben takes it, and adds twice; then she wakes up. */
  async function stoppedHolder(how: 'bare' | 'guarded'): Promise<{ history: History; verdict: Verdict }> {
    const history = new History();
    const root = freshPath('stopped');
    await using zk = await open();
    await zk.create(`${root}/rides`, '0', { parents: true });
    const program = fileURLToPath(new URL('stopped-holder.ts', import.meta.url));
    const args = ['--conditions=@quorate/source', program, bed.zookeeper.url, root, how];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    const closed = once(child, 'close');
    try {
      await eventually('she is about to write', () => printed.includes('about to write'));
      child.kill('SIGSTOP');
      await standsStill(child.pid);
      const stopped = history.fault('pause', 'ann');
      const lease = await new Lock(zk, `${root}/lock`, { id: 'ben' }).acquire();
      const holding = history.held('ben', 'lock', lease.token);
      for (const _ of ['once', 'twice']) {
        await history.run('ben', 'add', { key: 'rides', by: 1 }, async () => {
          const sum = Number((await zk.get(`${root}/rides`)).data) + 1;
          await lease.guard(zk.transaction()).set(`${root}/rides`, String(sum)).commit();
          return sum;
        });
      }
      holding.released();
      await lease.release();
      child.stdin.write('write\n');
      stopped.end();
      child.kill('SIGCONT');
      await closed;
    } finally {
      child.kill('SIGKILL');
    }
    const whole = History.merge(history, History.fromJsonLines(printed));
    await whole.run('ben', 'read', { key: 'rides' }, async () => Number((await zk.get(`${root}/rides`)).data));
    const verdict = check.noLostUpdates(whole);
    await draw(whole, verdict, how);
    return { history: whole, verdict };
  }

  /** The pictures of docs/coordination.md: QUORATE_PICTURES=docs/pictures */
  async function draw(history: History, verdict: Verdict, how: 'bare' | 'guarded'): Promise<void> {
    const folder = process.env.QUORATE_PICTURES;
    if (folder === undefined) return;
    const end = { bare: 'writes, and two rides are lost', guarded: 'is refused: nothing is lost' }[how];
    const picture = lamportSvg(history, { title: `Ann is stopped, wakes up, and ${end}`, verdict });
    await writeFile(join(folder, `stopped-holder-${how}.svg`), picture);
  }
});

test('fact 9: the token is the transaction of the node: it increases though the numbers begin again', async () => {
  await using zk = await open();
  const path = freshPath('numbers');
  const tokens: bigint[] = [];
  for (let round = 0; round < 3; round += 1) {
    for (let holder = 0; holder < 2; holder += 1) {
      await using lease = await new Lock(zk, path).acquire();
      expect(await childrenOf(zk, path)).toEqual([expect.stringMatching(new RegExp(`lock-000000000${holder}$`))]);
      tokens.push(lease.token);
    }
    await zk.delete(path);
  }
  expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => (a < b ? -1 : 1)));
});

test('fact 10: a leader whose work does not end is told before its successor leads', async () => {
  await using other = await open();
  await using mine = await breakable(bed);
  const path = freshPath('shutdown');
  let told = 0;
  let finish = (): void => undefined;
  const work = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const leading = codeOf(
    new Election(mine.zk, path).lead(async (lease) => {
      lease.signal.addEventListener('abort', () => {
        told = performance.now();
      });
      await work;
    }),
  );
  await eventually('a leader', async () => (await childrenOf(other, path)).length === 1);
  await mine.link.set({ blackHole: true });
  await using _ = await new Election(other, path, { id: 'successor' }).campaign();
  const succeeded = performance.now();
  expect(told).toBeGreaterThan(0);
  expect(told).toBeLessThan(succeeded);
  finish();
  expect(await leading).toBe('session-lost');
});

test('fact 11: an event is not the condition: touched nodes wake nobody into holding', async () => {
  await using zk = await open();
  await using other = await open();
  const path = freshPath('touched');
  const held = await new Lock(zk, path).acquire();
  const [node] = await childrenOf(zk, path);
  let got = false;
  const waiting = new Lock(other, path).acquire().then((lease) => {
    got = true;
    return lease;
  });
  await eventually('a waiter', async () => (await childrenOf(zk, path)).length === 2);
  for (let time = 0; time < 5; time += 1) {
    const requests = await requestsOf(async () => {
      await zk.set(`${path}/${node}`, String(time));
      await eventually('it watches again', async () => (await watchesNow()) === 1);
    });
    expect(requests.length).toBeGreaterThan(0);
  }
  expect(got).toBe(false);
  await held.release();
  await (await waiting).release();
});

describe('fact 12: a lease never claims to be held when it is not', () => {
  test('after a stop of the process it reads aborted before any timer has run, whatever the wall clock says', async () => {
    await using mine = await breakable(bed, 'zookeeper-1', { sessionTimeout: 400 });
    const lease = await new Lock(mine.zk, freshPath('stopped'), { onSuspended: 'wait' }).acquire();
    const now = Date.now();
    vi.spyOn(Date, 'now').mockReturnValue(now - 3_600_000);
    // As SIGSTOP would: nothing of this process runs for longer than the session.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600);
    expect(lease.signal.aborted).toBe(true);
    expect((lease.signal.reason as LeaseEndedError).reason).toBe('lost');
    expect(await codeOf((async () => lease.guard(mine.zk.transaction()))())).toBe('lease-lost');
  });

  test('a wall clock that jumps ends nothing', async () => {
    await using zk = await open();
    await using lease = await new Lock(zk, freshPath('jump')).acquire();
    const now = Date.now();
    vi.spyOn(Date, 'now').mockReturnValue(now + 3_600_000);
    await zk.get('/');
    expect(lease.signal.aborted).toBe(false);
  });
});

test("fact 13: a read-write lock's downgrade lets no second writer in, also when its reply is lost", async () => {
  await using other = await open();
  await using mine = await breakable(bed);
  const path = freshPath('downgrade');
  const lock = new ReadWriteLock(mine.zk, path, { onSuspended: 'wait' });
  const writing = await lock.write.acquire();
  let second = false;
  const waiting = new ReadWriteLock(other, path).write.acquire().then((lease) => {
    second = true;
    return lease;
  });
  await eventually('a second writer', async () => (await childrenOf(other, path)).length === 2);
  let downgraded: Promise<Lease> | undefined;
  await loseReplies(
    mine,
    () => {
      downgraded = lock.downgrade(writing);
    },
    async () => (await childrenOf(other, path)).some((name) => name.includes('__READ__')),
  );
  const reading = await downgraded;
  await other.sync(path);
  await other.get('/');
  expect([second, reading?.signal.aborted]).toEqual([false, false]);
  await reading?.release();
  await (await waiting).release();
});

describe('fact 15: campaigns end', () => {
  test('one that is aborted rejects, and another one under the same id may follow at once', async () => {
    await using other = await open();
    await using zk = await open();
    const path = freshPath('campaign');
    const term = await new Election(other, path, { id: 'other' }).campaign();
    const election = new Election(zk, path, { id: 'mine' });
    for (let round = 0; round < 3; round += 1) {
      expect(await codeOf(election.campaign({ timeout: 20 }))).toBe('deadline-exceeded');
    }
    const campaign = election.campaign();
    await term.release();
    const lease = await campaign;
    await lease.release();
    await (await election.campaign()).release();
    expect(await childrenOf(zk, path)).toEqual([]);
  });
});

test('10,000 aborted acquires leave no node, no watch and no memory behind', async () => {
  // Long sessions: thousands of requests on a busy machine must not look like a silence.
  await using zk = await open(20_000);
  await using other = await open(20_000);
  const path = freshPath('aborted');
  await using _ = await new Lock(other, path).acquire();
  const lock = new Lock(zk, path);
  const watches = await watchesNow();
  const round = async (count: number): Promise<void> => {
    const stop = new AbortController();
    const enough = new Error('enough');
    const waits = Array.from({ length: count }, () => lock.acquire({ signal: stop.signal }).catch((error) => error));
    const inLine = eventually('all in line', async () => (await childrenOf(other, path)).length === count + 1);
    expect(await Promise.race([inLine, ...waits])).toBe(true);
    stop.abort(enough);
    expect(new Set(await Promise.all(waits))).toEqual(new Set([enough]));
    await eventually('all gone', async () => (await childrenOf(other, path)).length === 1);
  };
  // Tables that grow and shrink are not leaks: the least of several looks counts.
  const used = async (): Promise<number> => {
    const looks: number[] = [];
    for (let look = 0; look < 4; look += 1) {
      await round(10);
      looks.push(await memory());
    }
    return Math.min(...looks);
  };
  await round(200);
  const before = await used();
  // Each looks at the whole line as it comes: of two hundred at a time they take half as long as of five hundred.
  for (let rounds = 0; rounds < 50; rounds += 1) await round(200);
  // Less than half a kilobyte for each of them: a forgotten watch alone is more.
  expect((await used()) - before).toBeLessThan(5_000_000);
  await eventually('no watch left', async () => (await watchesNow()) === watches);
}, 120_000);

/** Bytes in use after all garbage is gone. */
async function memory(): Promise<number> {
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose_gc');
  const collect = runInNewContext('gc') as () => void;
  for (let time = 0; time < 3; time += 1) {
    collect();
    await turn();
  }
  return process.memoryUsage().heapUsed;
}
