import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { Programs, Testbed } from '@quorate/testbed';
import { classPathOf } from '@quorate/testbed/peers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CreateMode, connect, ServerError, TransactionError, type ZooKeeper } from '../src/index.ts';

/** One write. A version of -1 is any, as the official client has it. */
interface Write {
  readonly kind: 'create' | 'set' | 'delete' | 'check';
  readonly path: string;
  readonly data: string;
  readonly version: number;
  readonly mode: CreateMode;
}

const seed = Number(process.env.DIFFERENTIAL_SEED ?? Math.floor(Math.random() * 2 ** 31));
// Few paths, shallow ones first: so that writes meet one another.
const paths = ['/a', '/a', '/a', '/b', '/b', '/a/a', '/a/b', '/b/a', '/a/a/a'];
const write: fc.Arbitrary<Write> = fc.record({
  kind: fc.constantFrom('create', 'create', 'create', 'create', 'set', 'set', 'delete', 'check'),
  path: fc.constantFrom(...paths),
  data: fc.stringMatching(/^[a-z0-9]{0,12}$/),
  version: fc.constantFrom(-1, -1, 0, 0, 1, 2),
  mode: fc.constantFrom('persistent', 'persistent', 'persistent-sequential', 'container'),
});
/** Either one write alone, or several as a transaction. */
const sequence = fc.array(
  fc.oneof({ weight: 3, arbitrary: fc.tuple(write) }, { weight: 1, arbitrary: fc.tuple(write, write) }),
  { minLength: 20, maxLength: 40, size: 'max' },
);

test(`random writes leave the same tree as through the official client (DIFFERENTIAL_SEED=${seed})`, async ({
  skip,
}) => {
  if (!(await hasCompiler()))
    skip('the official client is driven by a Java source file, which takes a JDK: here is a JRE');
  await using bed = await Testbed.start({ zookeeper: 1 });
  await using zk = await connect(bed.zookeeper.url);
  await using official = await Official.start(bed.zookeeper.url);
  let done = 0;
  for (const [index, steps] of fc.sample(sequence, { numRuns: 60, seed }).entries()) {
    const [ours, theirs] = [`/ours-${index}`, `/theirs-${index}`];
    await zk.transaction().create(ours).create(theirs).commit();
    await using below = await connect(`${bed.zookeeper.url}${ours}`);
    for (const writes of steps) {
      const results = await Promise.all([run(below, writes), official.run(theirs, writes)]);
      expect(results[0], JSON.stringify(writes)).toBe(results[1]);
      if (results[0] === 0) done += 1;
    }
    expect(await tree(zk, ours)).toEqual(await tree(zk, theirs));
  }
  // If most were refused, the trees would be alike for want of trying.
  expect(done).toBeGreaterThan(200);
});

/** Through our client: alone as a call of its own, so that both ways of writing are compared. */
async function run(zk: ZooKeeper, writes: readonly Write[]): Promise<number> {
  const version = (write: Write): number | undefined => (write.version === -1 ? undefined : write.version);
  const [first] = writes;
  try {
    if (writes.length === 1 && first && first.kind !== 'check') {
      if (first.kind === 'create') await zk.create(first.path, first.data, { mode: first.mode, protected: false });
      else if (first.kind === 'set') await zk.set(first.path, first.data, { version: version(first) });
      else await zk.delete(first.path, { version: version(first) });
      return 0;
    }
    const transaction = zk.transaction();
    for (const each of writes) {
      if (each.kind === 'create') transaction.create(each.path, each.data, { mode: each.mode });
      else if (each.kind === 'set') transaction.set(each.path, each.data, { version: version(each) });
      else if (each.kind === 'delete') transaction.delete(each.path, { version: version(each) });
      else transaction.check(each.path, version(each));
    }
    await transaction.commit();
    return 0;
  } catch (error) {
    const answered = error instanceof TransactionError ? error.cause : error;
    if (answered instanceof ServerError) return answered.serverCode;
    throw error;
  }
}

/** What is below a path, without what differs by nature: when it was made, and by which transaction. */
async function tree(zk: ZooKeeper, root: string): Promise<unknown> {
  const { data, stat } = await zk.get(root);
  const { names } = await zk.children(root);
  const { version, cversion, aversion, numChildren } = stat;
  const children: Record<string, unknown> = {};
  for (const name of names.sort()) children[name] = await tree(zk, `${root}/${name}`);
  return { data: data.toString(), version, cversion, aversion, numChildren, children };
}

async function hasCompiler(): Promise<boolean> {
  const { path } = await new Programs().get('java');
  const { stdout } = await promisify(execFile)(path, ['--list-modules']);
  return stdout.includes('jdk.compiler');
}

/** The official Java client in a process of its own. */
class Official implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  static async start(address: string): Promise<Official> {
    const programs = new Programs();
    const [java, zookeeper] = await Promise.all([programs.get('java'), programs.get('zookeeper')]);
    const args = ['-Xmx128m', '-XX:TieredStopAtLevel=1', '-cp', await classPathOf(zookeeper.path)];
    args.push(join(import.meta.dirname, 'Driver.java'), address);
    return new Official(spawn(java.path, args, { stdio: ['pipe', 'pipe', 'ignore'] }));
  }

  private constructor(process: ChildProcess) {
    this.#process = process;
    if (!process.stdout) throw new Error('no output to read');
    // Logs may come on the same stream.
    const lines = createInterface({ input: process.stdout });
    this.#answers = lines[Symbol.asyncIterator]();
  }

  async run(root: string, writes: readonly Write[]): Promise<number> {
    const line = ({ kind, path, data, version, mode }: Write): string =>
      [kind, root + path, data, kind === 'create' ? mode.toUpperCase().replace('-', '_') : version].join('\t');
    const [first] = writes;
    if (writes.length === 1 && first) return this.#ask(line(first));
    await this.#ask('begin');
    for (const each of writes) await this.#ask(line(each));
    return this.#ask('commit');
  }

  async #ask(line: string): Promise<number> {
    this.#process.stdin?.write(`${line}\n`);
    for (;;) {
      const { value, done } = await this.#answers.next();
      if (done) throw new Error('the official client has ended');
      if (/^-?\d+$/.test(value)) return Number(value);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.stdin?.end();
    this.#process.kill();
    if (this.#process.exitCode === null) await once(this.#process, 'exit');
  }
}
