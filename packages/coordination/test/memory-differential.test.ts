import { QuorateError } from '@quorate/core';
import { bedTest } from '@quorate/testbed/vitest';
import { connect, type Stat, type Transaction, type Watch, type ZooKeeper } from '@quorate/zookeeper';
import fc from 'fast-check';
import { expect } from 'vitest';
import { memoryCoordination } from '../src/index.ts';

const seed = Number(process.env.MEMORY_SEED ?? Math.floor(Math.random() * 2 ** 31));

// No container is swept while the test runs: in memory that happens on demand only.
const test = bedTest({ zookeeper: { members: 1, jvm: ['-Dznode.container.checkIntervalMs=3600000'] } });

// Few paths, shallow ones first, so that the operations meet one another. A number is what was created so many ago.
const path = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('', '/a', '/a', '/a', '/b', '/b', '/a/a', '/a/b', '/b/a', '/a/a/a') },
  { weight: 2, arbitrary: fc.nat(3) },
);
const below = fc.constantFrom('/a', '/a', '/b', '/b', '/a/a', '/a/n-', '/b/n-', '/b/', '/a/b', '/a/a/a');
const version = fc.constantFrom(undefined, undefined, 0, 0, 1, 2);
const mode = fc.constantFrom(
  'persistent' as const,
  'persistent' as const,
  'persistent' as const,
  'ephemeral' as const,
  'persistent-sequential' as const,
  'ephemeral-sequential' as const,
  'container' as const,
);
const data = fc.stringMatching(/^[a-z0-9]{0,12}$/);
const permission = fc.constantFrom(
  'read' as const,
  'write' as const,
  'create' as const,
  'delete' as const,
  'admin' as const,
);
const acl = fc.oneof(
  fc.constant([{ permissions: 'all' as const, scheme: 'world', id: 'anyone' }]),
  fc.constantFrom(
    [{ permissions: 'all' as const, scheme: 'auth', id: '' }],
    [{ permissions: 'all' as const, scheme: 'ip', id: '127.0.0.0/8' }],
    [{ permissions: 'all' as const, scheme: 'ip', id: '10.0.0.0/8' }],
    [{ permissions: 'all' as const, scheme: 'ip', id: '127.0.0.1/33' }],
    [{ permissions: 'all' as const, scheme: 'digest', id: 'somebody:else' }],
    [{ permissions: 'all' as const, scheme: 'world', id: 'nobody' }],
  ),
  fc.uniqueArray(permission, { minLength: 1 }).map((each) => [
    { permissions: each, scheme: 'world', id: 'anyone' },
    { permissions: ['admin' as const], scheme: 'world', id: 'anyone' },
    { permissions: ['admin' as const], scheme: 'world', id: 'anyone' },
  ]),
);
const create = fc.record({
  kind: fc.constant('create' as const),
  path: below,
  data,
  mode,
  ttl: fc.constantFrom(undefined, undefined, undefined, 3_600_000),
});
const set = fc.record({ kind: fc.constant('set' as const), path, data, version });
const remove = fc.record({ kind: fc.constantFrom('delete' as const, 'check' as const), path, version });
const writes = fc.oneof({ weight: 4, arbitrary: create }, set, remove);
const flag = fc.boolean();
const operation = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('alone' as const), write: writes, protected: flag, parents: flag }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('transaction' as const),
      steps: fc.array(writes, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('get' as const, 'exists' as const, 'children' as const),
      path,
      watch: flag,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'acl' as const,
        'sync' as const,
        'ephemerals' as const,
        'countDescendants' as const,
        'recursive' as const,
      ),
      path,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('setAcl' as const), path, acl, version }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('create with acl' as const), path: below, acl }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('readMany' as const), paths: fc.array(path, { maxLength: 3 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('watch' as const),
      path,
      mode: fc.constantFrom('persistent' as const, 'recursive' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('unwatch' as const, 'whoAmI' as const) }) },
);
/**
 * Without what takes several requests: how those of several operations mingle is chance. And without changes of an ACL:
 * a server checks the writes right behind one by the ACL before it, for as long as the change is on its way through.
 */
const single = operation.map((each): Operation => {
  if (each.kind === 'alone') return { ...each, parents: false };
  return each.kind === 'recursive' || each.kind === 'setAcl' ? { kind: 'sync' as const, path: each.path } : each;
});
/**
 * What one of two sessions does at once; or that it is closed and another one opened in its place; or that the first one
 * is cut off, asks for something, and hears later of what the second one has done meanwhile.
 */
const step = fc.record({
  session: fc.constantFrom(0, 1),
  operations: fc.oneof(
    { weight: 20, arbitrary: fc.tuple(operation) },
    { weight: 8, arbitrary: fc.array(single, { minLength: 2, maxLength: 4 }) },
    { weight: 1, arbitrary: fc.constant('reopen' as const) },
    {
      weight: 1,
      arbitrary: fc.record({ waiting: single, meanwhile: fc.array(single, { minLength: 1, maxLength: 4 }) }),
    },
  ),
});
const scenario = fc.array(step, { minLength: 30, maxLength: 60, size: 'max' });

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;
type Write = typeof writes extends fc.Arbitrary<infer T> ? T : never;
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

test(`random operations come to the same in memory as on a real server (MEMORY_SEED=${seed})`, async ({ bed }) => {
  const link = bed.link('first', 'zookeeper-1');
  const throughLink = await link.address;
  let done = 0;
  let fired = 0;
  let missed = 0;
  for (const [index, steps] of fc.sample(scenario, { numRuns: 60, seed }).entries()) {
    const memory = memoryCoordination();
    await using real = await Side.open(`/run-${index}`, {
      // It need not ask for the version: a question would put what is asked with it into another order.
      connect: (session) => connect(session === 0 ? throughLink : bed.zookeeper.url, { serverVersion: '3.9' }),
      cut: () => link.set({ refuse: true }),
      heal: () => link.heal(),
    });
    await using ours = await Side.open(`/run-${index}`, {
      connect: async () => memory.connect(),
      cut: (zk) => memory.suspend(zk),
      heal: (zk) => memory.resume(zk),
    });
    for (const [at, each] of steps.entries()) {
      const [expected, found] = await Promise.all([real.run(each), ours.run(each)]);
      expect(found, `run ${index}, step ${at}: ${JSON.stringify(each)}`).toEqual(expected);
      done += expected.outcomes.filter((outcome) => !Object.hasOwn(Object(outcome), 'code')).length;
      fired += expected.events.length;
      missed += expected.events.filter((event) => event.includes(': gap ')).length;
    }
  }
  // If most were refused or nothing fired, the two would be alike for want of trying.
  expect(done).toBeGreaterThan(1_000);
  expect(fired).toBeGreaterThan(250);
  expect(missed).toBeGreaterThan(5);
});

interface Told {
  readonly outcomes: unknown[];
  readonly events: string[];
  /** How many events of one's own came before the outcome. */
  readonly before: number | undefined;
}

interface Kind {
  connect(session: number): Promise<ZooKeeper>;
  /** The first session's connection. */
  cut(zk: ZooKeeper): unknown;
  heal(zk: ZooKeeper): unknown;
}

/** Two sessions on one kind of servers, with everything told in words that are the same for both kinds. */
class Side implements AsyncDisposable {
  readonly #root: string;
  readonly #kind: Kind;
  readonly #sessions: ZooKeeper[];
  readonly #created: string[] = [];
  readonly #watches: Watch[] = [];
  #events: string[] = [];
  #base = 0n;

  static async open(root: string, kind: Kind): Promise<Side> {
    const side = new Side(root, kind, [await kind.connect(0), await kind.connect(1)]);
    const { stat } = await side.#session(0).create(root);
    side.#base = stat.czxid;
    return side;
  }

  private constructor(root: string, kind: Kind, sessions: ZooKeeper[]) {
    this.#root = root;
    this.#kind = kind;
    this.#sessions = sessions;
  }

  async run({ session, operations }: Step): Promise<Told> {
    this.#events = [];
    if (operations === 'reopen') {
      await this.#session(session).close();
      this.#sessions[session] = await this.#kind.connect(session);
      await this.#settle();
      // A session's ephemeral nodes go in no order that servers promise.
      return { outcomes: [], events: this.#events.sort(), before: undefined };
    }
    if ('meanwhile' in operations) return this.#cutOff(operations);
    const outcomes = await this.#all(session, operations);
    // What one operation has made one's own watches fire is known before its outcome; of several, which came first is chance.
    const before =
      operations.length === 1 ? this.#events.filter((event) => event.startsWith(`${session} once`)).length : undefined;
    await this.#settle();
    const unordered = operations.some(({ kind }) => kind === 'recursive');
    return {
      outcomes,
      events: unordered ? this.#events.sort() : this.#byWatch(),
      before: unordered ? undefined : before,
    };
  }

  async #cutOff({ waiting, meanwhile }: { waiting: Operation; meanwhile: Operation[] }): Promise<Told> {
    const zk = this.#session(0);
    const states = zk.states();
    await this.#kind.cut(zk);
    expect((await states.next()).value).toBe('suspended');
    const asked = this.#all(0, [waiting]);
    const outcomes = await this.#all(1, meanwhile);
    await this.#session(1).exists('/');
    expect(this.#events.filter((event) => event.startsWith('0'))).toEqual([]);
    await this.#kind.heal(zk);
    expect((await states.next()).value).toBe('connected');
    outcomes.push(...(await asked));
    await this.#settle();
    return { outcomes, events: this.#byWatch(), before: undefined };
  }

  async #all(session: number, operations: readonly Operation[]): Promise<unknown[]> {
    const created: string[][] = operations.map(() => []);
    const outcomes = await Promise.all(
      operations.map((each, index) =>
        this.#do(session, each, created[index] as string[]).then(
          (value) => this.#told(value),
          (error) => this.#failure(error, each.kind === 'recursive'),
        ),
      ),
    );
    // In the order of the operations: in which their promises were settled is chance.
    this.#created.push(...created.flat());
    return outcomes;
  }

  /** By the reply to this, every event of what was done before has been told. */
  async #settle(): Promise<void> {
    await Promise.all(this.#sessions.map((zk) => zk.exists('/')));
  }

  /** Which of two watches hears first is chance; what one hears has an order. */
  #byWatch(): string[] {
    const told = Map.groupBy(this.#events, (event) => event.slice(0, event.indexOf(':')));
    return [...told.keys()].sort().flatMap((watch) => told.get(watch) ?? []);
  }

  async #do(session: number, asked: Operation, created: string[]): Promise<unknown> {
    const zk = this.#session(session);
    const watch = ({ type, path }: { type: string; path: string }): void => this.#heard(session, 'once', type, path);
    switch (asked.kind) {
      case 'alone':
        return this.#write(zk, asked.write, { protected: asked.protected, parents: asked.parents }, created);
      case 'transaction': {
        const transaction = zk.transaction();
        for (const each of asked.steps) this.#add(transaction, each);
        const results = await transaction.commit();
        for (const result of results) if (result.kind === 'create') created.push(result.path);
        return results;
      }
      case 'get':
      case 'exists':
      case 'children':
        return zk[asked.kind](this.#path(asked.path), asked.watch ? { watch } : {});
      case 'acl':
      case 'sync':
      case 'ephemerals':
      case 'countDescendants':
        return zk[asked.kind](this.#path(asked.path));
      case 'recursive':
        return zk.delete(this.#path(asked.path === '' ? '/a' : asked.path), { recursive: true });
      case 'setAcl':
        return zk.setAcl(this.#path(asked.path), asked.acl, { version: asked.version });
      case 'create with acl':
        return zk.create(`${this.#root}${asked.path}x`, '', { acl: asked.acl });
      case 'readMany':
        return zk.readMany(asked.paths.flatMap((each) => [{ get: this.#path(each) }, { children: this.#path(each) }]));
      case 'watch': {
        const watching = zk.watch(this.#path(asked.path), { mode: asked.mode });
        this.#watches.push(watching);
        void this.#follow(watching, session, `${asked.mode} ${this.#words(this.#path(asked.path))}`);
        return watching.ready;
      }
      case 'unwatch':
        return void (await this.#watches.shift()?.return?.());
      case 'whoAmI':
        return zk.whoAmI();
    }
  }

  async #write(
    zk: ZooKeeper,
    write: Write,
    options: { protected: boolean; parents: boolean },
    created: string[],
  ): Promise<unknown> {
    switch (write.kind) {
      case 'create': {
        const { mode, ttl } = write;
        const made = await zk.create(this.#root + write.path, write.data, { mode, ttl, ...options });
        created.push(made.path);
        return made;
      }
      case 'set':
        return zk.set(this.#path(write.path), write.data, { version: write.version });
      case 'delete':
        return zk.delete(this.#path(write.path), { version: write.version });
      case 'check':
        return zk.transaction().check(this.#path(write.path), write.version).commit();
    }
  }

  #add(transaction: Transaction, write: Write): void {
    if (write.kind === 'create') {
      transaction.create(this.#root + write.path, write.data, { mode: write.mode, ttl: write.ttl });
    } else if (write.kind === 'set') {
      transaction.set(this.#path(write.path), write.data, { version: write.version });
    } else transaction[write.kind](this.#path(write.path), write.version);
  }

  async #follow(watching: Watch, session: number, name: string): Promise<void> {
    try {
      for await (const { type, path } of watching) this.#heard(session, name, type, path);
    } catch {
      // It could not be placed, which the outcome of placing it tells.
    }
  }

  #heard(session: number, by: string, type: string, path: string): void {
    this.#events.push(this.#words(`${session} ${by}: ${type} ${path}`));
  }

  #path(path: string | number): string {
    if (typeof path === 'number') return this.#created.at(-1 - path) ?? this.#root;
    return this.#root + path;
  }

  /** Without what differs by nature: where the run is, and the marks in names. */
  #words(text: string): string {
    return text.replaceAll(this.#root, '').replaceAll(/_c_[0-9a-f-]{36}-/g, '_c_*-');
  }

  #told(value: unknown): unknown {
    if (typeof value === 'string') return this.#words(value);
    if (value instanceof Error) return this.#failure(value);
    if (Buffer.isBuffer(value) || typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) {
      const told = value.map((each) => this.#told(each));
      return told.every((each) => typeof each === 'string') ? told.sort() : told;
    }
    if ('czxid' in value) return this.#stat(value as Stat);
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, this.#told(each)]));
  }

  /** Transactions count from the one that made the root, on both sides: also those that were refused. */
  #stat({ czxid, mzxid, pzxid, ctime, mtime, ephemeralOwner, ...rest }: Stat): unknown {
    const owner = this.#sessions.findIndex(({ id }) => id === ephemeralOwner);
    return {
      ...rest,
      czxid: czxid - this.#base,
      mzxid: mzxid - this.#base,
      pzxid: pzxid - this.#base,
      times: ctime <= mtime,
      owner: ephemeralOwner === 0n ? 'nobody' : owner,
    };
  }

  /** Of several nodes that may not be deleted, the first one a server lists is named, and its lists have no order. */
  #failure(error: unknown, ofAny = false): unknown {
    if (!(error instanceof QuorateError)) throw error;
    const { code, message, name, retryable } = error;
    const { index, serverCode } = error as { index?: number; serverCode?: number };
    const words = this.#words(message);
    return {
      code,
      message: ofAny ? words.replace(/^delete [^:]*:/, 'delete *:') : words,
      name,
      retryable,
      index,
      serverCode,
    };
  }

  #session(number: number): ZooKeeper {
    return this.#sessions[number] as ZooKeeper;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#sessions.map((zk) => zk.close()));
  }
}
