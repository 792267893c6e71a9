import { readFile } from 'node:fs/promises';
import { type BedOf, eventually, type Passing, Relay, Testbed } from '@quorate/testbed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ConnectOptions, connect, type WatchEvent, type ZooKeeper } from '../src/index.ts';
import { op } from '../src/protocol/op-codes.ts';
import { codeOf, conformance } from './conformance.ts';

/** What a server logs when it is asked for what it does not know. It then closes the connection. */
const unknown = 'unknown type';

describe.each(['3.5.10', '3.9.5'] as const)('on ZooKeeper %s', (version) => {
  let bed: BedOf<{ zookeeper: { version: '3.5.10' | '3.9.5' } }>;
  const isOld = version === '3.5.10';

  beforeAll(async () => {
    bed = await Testbed.start({
      zookeeper: { version, config: { tickTime: 100 }, jvm: ['-Dznode.container.checkIntervalMs=100'] },
    });
    // Room to fetch it, the first time.
  }, 120_000);
  afterAll(() => bed?.stop());

  describe('conformance', () => {
    conformance({
      open: async () => {
        const root = `/${expect.getState().currentTestName?.replaceAll(/\W+/g, '-')}`;
        const zk = await connect(`${bed.zookeeper.url}${root}`);
        await zk.create('/', '', { parents: true }).catch(() => undefined);
        return zk;
      },
      has: { modern: true, newer: !isOld },
    });
  });

  test('one-shot watches survive a new connection', async () => {
    const link = bed.link('watcher', 'zookeeper-1');
    await using zk = await connect(await link.address);
    await zk.create('/watched');
    const fired = Promise.withResolvers<WatchEvent>();
    await zk.get('/watched', { watch: fired.resolve });
    await link.reset();
    await eventually('it is connected again', async () => (await zk.exists('/watched')) && zk.state === 'connected');
    await zk.set('/watched', 'x');
    expect(await fired.promise).toEqual({ type: 'changed', path: '/watched' });
  });

  test('a node that is created in a transaction has the stat that it is born with', async () => {
    await using zk = await connect(bed.zookeeper.url);
    const [made, held] = await zk
      .transaction()
      .create('/born', 'abc')
      .create('/mine', '', { mode: 'ephemeral' })
      .commit();
    for (const [path, result] of [['/born', made] as const, ['/mine', held] as const]) {
      const { stat } = await zk.get(path);
      // A server before 3.7 does not tell the time.
      const untold = isOld ? { ctime: 0n, mtime: 0n } : {};
      expect(result).toEqual({ kind: 'create', path, stat: { ...stat, ...untold } });
    }
  });

  const old = isOld ? test : () => undefined;
  old('what it does not know is refused before it is sent, and the session is not touched', async () => {
    await using zk = await connect(bed.zookeeper.url);
    const states: string[] = [];
    zk.on('state', (state) => states.push(state));
    await zk.create('/held', '', { mode: 'ephemeral' });
    const calls = [zk.watch('/').ready, zk.ephemerals(), zk.countDescendants('/'), zk.whoAmI()];
    expect(await Promise.all(calls.map(codeOf))).toEqual(Array(4).fill('unsupported'));
    await expect(zk.watch('/held').ready).rejects.toMatchObject({
      happened: 'no',
      message: `watch /held is not supported: it takes ZooKeeper 3.6, and ${bed.zookeeper.url} is 3.5.10`,
    });
    await expect(zk.whoAmI()).rejects.toThrow('it takes ZooKeeper 3.7');
    const reads = Array.from({ length: 1_500 }, (_, index) => ({ get: index === 7 ? '/none' : '/held' }));
    const outcomes = await zk.readMany(reads);
    expect(outcomes.filter((outcome) => 'data' in outcome)).toHaveLength(1_499);
    expect(outcomes[7]).toMatchObject({ error: { code: 'no-node', path: '/none' } });
    expect(states).toEqual([]);
  });

  test('in all this it was asked for nothing that it does not know', async () => {
    expect(await readFile(bed.zookeeper.member(1).logFile, 'utf8')).not.toContain(unknown);
  });
});

describe('the version of a server', () => {
  let bed: BedOf<{ zookeeper: 1 }>;
  beforeAll(async () => {
    bed = await Testbed.start({ zookeeper: { members: 1, config: { tickTime: 100 } } });
  });
  afterAll(() => bed?.stop());

  interface Front extends AsyncDisposable {
    readonly zk: ZooKeeper;
    readonly relay: Relay;
    /** How often the server was asked for its version. */
    asked: number;
    /** What becomes of its answer. Changed in place, it says something else. */
    answer: NonNullable<Passing['answer']>;
    /** How often several reads were asked for in one request. */
    multiReads: number;
    /** What becomes of the answer to that. */
    multiReadAnswer: 'pass' | 'cut';
  }

  /** The number of the operation, where what is sent is one request. */
  const codeIn = (bytes: Buffer): number => (bytes.length < 12 ? 0 : bytes.readInt32BE(8));

  /** A session by a way on which the server's answer to `srvr` can be changed or lost. */
  async function front(options: ConnectOptions = {}): Promise<Front> {
    const stack = new AsyncDisposableStack();
    const relay = stack.use(
      await Relay.to(bed.zookeeper.url, () => {
        let asks = false;
        let code = 0;
        return {
          question: (bytes) => {
            asks = bytes.toString() === 'srvr';
            code = codeIn(bytes);
            if (asks) made.asked += 1;
            if (code === op.multiRead) made.multiReads += 1;
          },
          answer: (bytes) => {
            if (asks) return made.answer(bytes);
            return code === op.multiRead ? made.multiReadAnswer : 'pass';
          },
        };
      }),
    );
    const zk = stack.use(await connect(relay.address, options));
    const made: Front = {
      zk,
      relay,
      asked: 0,
      answer: () => 'pass',
      multiReads: 0,
      multiReadAnswer: 'pass',
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
    return made;
  }

  /** Makes it say that it is 3.5.4. */
  const older: Front['answer'] = (bytes) => {
    const text = bytes.toString('latin1').replace(/version: 3\.\d\.\d/, 'version: 3.5.4');
    bytes.write(text, 'latin1');
    return 'pass';
  };

  async function reconnect({ relay, zk }: Front): Promise<void> {
    const suspended = new Promise<void>((resolve) => zk.on('state', (state) => state === 'suspended' && resolve()));
    relay.cut();
    await suspended;
    await eventually('it is connected again', () => zk.state === 'connected');
  }

  test('is asked for only when it matters, and once on each connection', async () => {
    await using way = await front();
    const { zk } = way;
    await zk.create('/asked', '', { mode: 'ephemeral' });
    await zk.sync('/');
    await zk.children('/');
    expect(way.asked).toBe(0);
    await Promise.all([zk.readMany([{ get: '/' }]), zk.ephemerals(), zk.countDescendants('/')]);
    await zk.whoAmI();
    await using watch = zk.watch('/asked');
    await watch.ready;
    expect(way.asked).toBe(1);
    await watch.return?.();
    await reconnect(way);
    await zk.sync('/');
    expect(way.asked).toBe(1);
    await zk.readMany([{ get: '/' }]);
    expect(way.asked).toBe(2);
  });

  test('is not asked for where its user has said it', async () => {
    await using way = await front({ serverVersion: '3.8' });
    expect(await way.zk.whoAmI()).not.toHaveLength(0);
    await using watch = way.zk.watch('/');
    await watch.ready;
    expect(way.asked).toBe(0);
    await using old = await front({ serverVersion: '3.5.10' });
    expect(await codeOf(old.zk.ephemerals())).toBe('unsupported');
    expect(await old.zk.readMany([{ children: '/' }])).toMatchObject([{ names: ['zookeeper'] }]);
  });

  test.each([
    ['closes the connection', 'cut', {}, ''],
    ['is silent', 'hold', { connectTimeout: 150 }, 'no answer within 150 ms'],
  ] as const)('where it %s instead of saying it, it counts as old', async (_, fate, options, why) => {
    await using way = await front(options);
    way.answer = () => fate;
    expect(await way.zk.readMany([{ children: '/' }])).toMatchObject([{ names: ['zookeeper'] }]);
    const refused = way.zk.watch('/').ready;
    expect(await codeOf(refused)).toBe('unsupported');
    await expect(refused).rejects.toThrow(`does not say its version (${why}`);
    await expect(refused).rejects.toThrow('serverVersion');
    const { asked } = way;
    await way.zk.readMany([{ get: '/' }]);
    expect(way.asked).toBe(asked);
  });

  test('a server that does not say it holds up the next connection for a sixth of the session timeout at most', async () => {
    await using way = await front({ sessionTimeout: 3_000, connectTimeout: 8_000 });
    const watch = way.zk.watch('/');
    await watch.ready;
    way.answer = () => 'hold';
    const begin = performance.now();
    await reconnect(way);
    expect(performance.now() - begin).toBeLessThan(1_000);
    expect(await codeOf(watch.next())).toBe('unsupported');
  });

  test('a question that is lost once is asked again', async () => {
    await using way = await front();
    way.answer = () => (way.asked === 1 ? 'cut' : 'pass');
    expect(await way.zk.countDescendants('/zookeeper')).toBeGreaterThan(0);
    expect(way.asked).toBe(2);
  });

  test('a session that comes to an older server tells who reads a persistent watch, and lives on', async () => {
    await using way = await front();
    const { zk } = way;
    await zk.create('/e', '', { mode: 'ephemeral' });
    const fired = Promise.withResolvers<WatchEvent>();
    await zk.get('/e', { watch: fired.resolve });
    const watches = [zk.watch('/e'), zk.watch('/', { mode: 'recursive' })];
    await Promise.all(watches.map(({ ready }) => ready));
    way.answer = older;
    await reconnect(way);
    for (const watch of watches)
      await expect(watch.next()).rejects.toThrow(`it takes ZooKeeper 3.6, and ${way.relay.address} is 3.5.4`);
    expect(await codeOf(zk.whoAmI())).toBe('unsupported');
    await zk.set('/e', 'x');
    expect(await fired.promise).toEqual({ type: 'changed', path: '/e' });
    way.answer = () => 'pass';
    await reconnect(way);
    await using again = zk.watch('/e');
    await again.ready;
    await zk.set('/e', 'y');
    expect(await again.next()).toMatchObject({ value: { type: 'changed', path: '/e' } });
  });

  test('a request that is under way when its connection ends does not follow the session to an older server', async () => {
    await using way = await front();
    await way.zk.readMany([{ get: '/' }]);
    expect(way.multiReads).toBe(1);
    way.multiReadAnswer = 'cut';
    way.answer = older;
    expect(await way.zk.readMany([{ children: '/' }, { get: '/none' }])).toMatchObject([
      { names: ['zookeeper'] },
      { error: { code: 'no-node' } },
    ]);
    expect(way.multiReads).toBe(2);
  });

  test('who waits for it is released when the wait is aborted, and when the session is closed', async () => {
    await using way = await front({ connectTimeout: 20_000 });
    way.answer = () => 'hold';
    const reason = new Error('enough');
    const controller = new AbortController();
    const aborted = way.zk.readMany([{ get: '/' }], { signal: controller.signal });
    const closed = codeOf(way.zk.ephemerals());
    await eventually('it is asked', () => way.asked > 0);
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    await way.zk.close();
    expect(await closed).toBe('session-closed');
  });
});
