import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { isQuorateError } from '@quorate/core';
import { check, eventually, History, seeded, standsStill, verdictText } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { connect } from '@quorate/zookeeper';
import { expect } from 'vitest';
import { Queue } from '../src/index.ts';

const test = bedTest({ zookeeper: { members: 1, config: { tickTime: 100 } } });
const program = new URL('./queue-worker.ts', import.meta.url).pathname;

/** A process that takes items, and what it has written down. */
class Worker {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #text = '';

  constructor(name: string, args: readonly string[]) {
    this.name = name;
    this.#child = spawn(process.execPath, ['--conditions=@quorate/source', program, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#text += text;
    });
    this.#ended = once(this.#child, 'close');
  }

  get history(): History {
    return History.fromJsonLines(this.#text, { torn: true });
  }

  get hasItem(): boolean {
    return this.history.events.at(-1)?.type === 'held';
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGSTOP');
    await standsStill(this.#child.pid);
  }

  wake(): void {
    this.#child.kill('SIGCONT');
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    this.#child.kill(signal);
    await this.#ended;
  }
}

test.concurrent('a process that is killed while it holds an item: another one gets it', async ({ bed }) => {
  await using zk = await connect(bed.zookeeper.url);
  const queue = new Queue<number>(zk, '/killed');
  await queue.put(1);
  const source = `
    import { connect } from '@quorate/zookeeper';
    import { Queue } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)};
    const zk = await connect(process.argv[1], { sessionTimeout: 1000 });
    const item = await new Queue(zk, '/killed').take();
    console.log(String(item.token));
  `;
  const args = ['--conditions=@quorate/source', '--input-type=module', '-e', source, bed.zookeeper.url];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], cwd: import.meta.dirname });
  const [token] = await once(child.stdout as NodeJS.ReadableStream, 'data');
  const taking = queue.take({ timeout: 30_000 });
  child.kill('SIGKILL');
  const item = await taking;
  expect([item.data, item.attempt]).toEqual([1, 2]);
  expect(item.token).toBeGreaterThan(BigInt(String(token).trim()));
  await item.done();
});

test.concurrent('takers are killed and stopped, and putters cut off: no item is lost, and none is done twice', async ({
  bed,
}) => {
  const seed = Number(process.env.QUORATE_SEED ?? Math.floor(Math.random() * 2 ** 31));
  const chance = seeded(seed);
  const path = '/under-faults';
  const faults = new History();
  const workers: Worker[] = [];
  const begin = (name: string): Worker => {
    const worker = new Worker(name, [bed.zookeeper.url, path, name, String(seed)]);
    workers.push(worker);
    return worker;
  };
  await using other = await connect(bed.zookeeper.url);
  const queue = new Queue<number>(other, path);
  const link = bed.link('putter', 'zookeeper-1');
  await using putter = await connect(await link.address, { sessionTimeout: 2_000 });
  const puts = new Queue<number>(putter, path);

  await other.create(`${path}-workers`);
  const isConnected = async ({ name }: Worker): Promise<boolean> => {
    const { names } = await other.children(`${path}-workers`);
    return names.some((each) => each.includes(`-${name}.`));
  };
  let current = Array.from({ length: 4 }, (_, i) => begin(`worker-${i}`));
  let next = 0;
  const putSome = async (): Promise<void> => {
    const putting = Array.from({ length: 25 }, () => {
      const item = next;
      next += 1;
      return faults
        .run('putter', 'put', { item }, () => puts.put(item))
        .catch((error) => {
          if (!isQuorateError(error, 'ambiguous')) throw error;
        });
    });
    // In the middle of them: some replies are lost, some puts never arrive.
    await link.set({ blackHole: chance.pick(['putter', 'zookeeper-1']) });
    await other.sync('/');
    await link.reset();
    await link.heal();
    await Promise.all(putting);
  };
  for (let round = 0; round < 8; round += 1) {
    const victim = chance.pick(current);
    await eventually(`${victim.name} has begun`, () => isConnected(victim));
    const putting = putSome();
    const isStruck = async (): Promise<boolean> => victim.hasItem || (await queue.size()) === 0;
    if (chance.next() < 0.7) await eventually('it holds an item, or all is done', isStruck, { every: 1 });
    if (chance.next() < 0.6) {
      await victim.end('SIGKILL');
      faults.fault('kill', victim.name);
      current = current.map((each) => (each === victim ? begin(`worker-${workers.length}`) : each));
    } else {
      await victim.stop();
      const pause = faults.fault('pause', victim.name);
      await eventually('its session is over', async () => !(await isConnected(victim)));
      pause.end();
      victim.wake();
    }
    await putting;
  }
  await eventually('all is done', async () => (await queue.size()) === 0, { within: 60_000 });
  await Promise.all(current.map((worker) => worker.end('SIGTERM')));

  const history = History.merge(faults, ...workers.map((worker) => worker.history));
  const { operations } = history;
  const itemOf = ({ input }: { input: unknown }): number => (input as { item: number }).item;
  const dones = Map.groupBy(
    operations.filter(({ op }) => op === 'done'),
    itemOf,
  );
  const wrong: string[] = [];
  for (const put of operations.filter(({ op }) => op === 'put')) {
    const item = itemOf(put);
    const ends = (dones.get(item) ?? []).map(({ outcome }) => outcome);
    const certain = ends.filter((outcome) => outcome === 'ok').length;
    if (certain > 1) wrong.push(`item ${item} was done ${certain} times`);
    if (put.outcome === 'ok' && ends.every((outcome) => outcome === 'failed')) wrong.push(`item ${item} was lost`);
  }
  expect(wrong, `seed ${seed}`).toEqual([]);
  const exclusive = check.exclusive(history, { grace: 2_000 });
  expect(exclusive.result, `seed ${seed}\n${verdictText(exclusive)}`).toBe('valid');
  expect(operations.filter(({ op, outcome }) => op === 'put' && outcome === 'ok').length).toBeGreaterThan(100);
});
