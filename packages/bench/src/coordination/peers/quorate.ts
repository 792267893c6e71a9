// Does the tasks that come in over standard input with our recipes; see tasks.ts.
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Election, type Lease, Lock } from '@quorate/coordination';
import { connect, type ZooKeeper } from '@quorate/zookeeper';
import type { Answer, Task } from '../tasks.ts';

const url = process.argv[2] ?? '';
let sessions: ZooKeeper[] = [];
let contest: Contest | undefined;
let lead: Lease | undefined;

/** Handovers among holders of one process: how long each took, and whether two held at once. */
class Handovers {
  readonly times: number[] = [];
  overlaps = 0;
  #holder: Lease | undefined;
  #released = Number.NaN;

  /** `holder` holds it already. */
  constructor(holder?: Lease) {
    this.#holder = holder;
  }

  /** Somebody has it. */
  took(lease: Lease): void {
    this.times.push(performance.now() - this.#released);
    if (this.#holder && !this.#holder.signal.aborted) this.overlaps += 1;
    this.#holder = lease;
  }

  async release(lease: Lease): Promise<void> {
    this.#released = performance.now();
    await lease.release();
  }

  answer(begin: number): Answer {
    const { overlaps, times } = this;
    return {
      ...quantiles(times.filter((time) => !Number.isNaN(time))),
      seconds: since(begin),
      held: times.length,
      overlaps,
    };
  }
}

/** Candidates that stand until they are withdrawn. Each leader resigns while there are resignations left. */
class Contest {
  readonly #over = new AbortController();
  readonly #standing: Promise<void>[];
  #handovers = new Handovers();
  #leader: Lease | undefined;
  #left = 0;
  /** Of the leader: resolves when it is to resign. */
  #resign = Promise.withResolvers<void>();
  #leads = Promise.withResolvers<void>();
  #done = Promise.withResolvers<void>();

  constructor(path: string, candidates: number) {
    this.#standing = Array.from({ length: candidates }, (_, index) => {
      const zk = sessions[index % sessions.length] as ZooKeeper;
      return this.#stand(new Election(zk, path, { id: `candidate-${index}` }));
    });
  }

  leads(): Promise<void> {
    return this.#leads.promise;
  }

  async resign(count: number): Promise<Answer> {
    this.#handovers = new Handovers(this.#leader);
    this.#left = count;
    this.#done = Promise.withResolvers();
    const begin = performance.now();
    this.#resign.resolve();
    await this.#done.promise;
    return this.#handovers.answer(begin);
  }

  async withdraw(): Promise<void> {
    this.#over.abort();
    this.#resign.resolve();
    await Promise.all(this.#standing);
  }

  async #stand(election: Election): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      const lease = await election.campaign({ signal }).catch((error) => {
        if (!signal.aborted) throw error;
      });
      if (!lease) return;
      this.#handovers.took(lease);
      this.#leader = lease;
      this.#leads.resolve();
      if (this.#left === 0) {
        this.#done.resolve();
        this.#resign = Promise.withResolvers();
        if (!signal.aborted) await this.#resign.promise;
      }
      this.#left -= 1;
      await this.#handovers.release(lease);
    }
  }
}

async function perform(task: Task): Promise<Answer> {
  switch (task.task) {
    case 'open':
      await Promise.all(sessions.map((zk) => zk.close()));
      sessions = await Promise.all(
        Array.from({ length: task.sessions }, () => connect(url, { sessionTimeout: task.timeout })),
      );
      return {};
    case 'trips':
      return timed(task.count, () => (sessions[0] as ZooKeeper).set('/', ''));
    case 'cycles': {
      const lock = new Lock(sessions[0] as ZooKeeper, task.path);
      return timed(task.count, async () => (await lock.acquire()).release());
    }
    case 'contend':
      return contend(task.path, task.count);
    case 'stand': {
      const begin = performance.now();
      contest = new Contest(task.path, task.candidates);
      await contest.leads();
      while ((await (sessions[0] as ZooKeeper).children(task.path)).names.length < task.candidates) await sleep(10);
      return { seconds: since(begin) };
    }
    case 'resign':
      return contest?.resign(task.count) ?? {};
    case 'withdraw':
      await contest?.withdraw();
      return {};
    case 'campaign': {
      lead = await new Election(sessions[0] as ZooKeeper, task.path).campaign();
      return { at: clock() };
    }
    case 'deposed':
      await new Promise((resolve) => lead?.signal.addEventListener('abort', resolve));
      return { at: clock() };
  }
}

async function contend(path: string, count: number): Promise<Answer> {
  const handovers = new Handovers();
  let left = count;
  const begin = performance.now();
  await Promise.all(
    sessions.map(async (zk) => {
      const lock = new Lock(zk, path);
      while (left > 0) {
        const lease = await lock.acquire();
        left -= 1;
        handovers.took(lease);
        await handovers.release(lease);
      }
    }),
  );
  return handovers.answer(begin);
}

async function timed(count: number, work: () => Promise<unknown>): Promise<Answer> {
  const times: number[] = [];
  const begin = performance.now();
  for (let index = 0; index < count; index += 1) {
    const from = performance.now();
    await work();
    times.push(performance.now() - from);
  }
  return { ...quantiles(times), seconds: since(begin) };
}

function quantiles(milliseconds: readonly number[]): { p50: number; p99: number } {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const at = (share: number): number => (sorted[Math.floor(sorted.length * share)] ?? Number.NaN) * 1000;
  return { p50: at(0.5), p99: at(0.99) };
}

function since(begin: number): number {
  return (performance.now() - begin) / 1000;
}

function clock(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

process.stdout.write('{}\n');
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await perform(JSON.parse(line) as Task))}\n`);
}
process.exit();
