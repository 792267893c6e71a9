// Does the tasks that come in over standard input with our group; see tasks.ts.
import { createInterface } from 'node:readline';
import { Group, type Member } from '@quorate/coordination';
import { connect, type ZooKeeper } from '@quorate/zookeeper';
import type { Answer, Task } from '../tasks.ts';

const url = process.argv[2] ?? '';
const data = 'x'.repeat(100);
let sessions: ZooKeeper[] = [];
let changes: AsyncIterator<Member[], undefined> | undefined;
let members = 0;

async function perform(task: Task): Promise<Answer> {
  switch (task.task) {
    case 'join':
      return join(task.path, task.members, task.sessions);
    case 'leave':
      await Promise.all(sessions.map((zk) => zk.close()));
      return {};
    case 'watch':
      return watch(task.path, task.members);
    case 'hear':
      return hear(task.path, task.count);
  }
}

async function join(path: string, count: number, from: number): Promise<Answer> {
  sessions = await Promise.all(Array.from({ length: from }, () => connect(url, { sessionTimeout: 10_000 })));
  const groups = sessions.map((zk) => new Group(zk, path));
  let next = 0;
  const begin = performance.now();
  const joiner = async (): Promise<void> => {
    while (next < count) {
      const own = next;
      next += 1;
      await groups[own % from]?.join({ id: `member-${own}`, data });
    }
  };
  await Promise.all(Array.from({ length: 100 }, joiner));
  return { seconds: (performance.now() - begin) / 1000 };
}

async function watch(path: string, count: number): Promise<Answer> {
  const zk = await connect(url, { sessionTimeout: 10_000 });
  // An empty one at first, so that what is loaded and compiled along the way is not counted.
  changes = new Group(zk, `${path}-warm`).watch();
  await until(0);
  const before = liveBytes();
  const begin = performance.now();
  changes = new Group(zk, path).watch();
  await until(count);
  const seconds = (performance.now() - begin) / 1000;
  members = count;
  return { seconds, bytes: liveBytes() - before };
}

async function hear(path: string, count: number): Promise<Answer> {
  const zk = await connect(url, { sessionTimeout: 10_000 });
  const group = new Group(zk, path);
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const begin = performance.now();
    const joined = group.join({ id: `newcomer-${index}`, data });
    await until(members + 1);
    times.push(performance.now() - begin);
    await (await joined).leave();
    await until(members);
  }
  await zk.close();
  times.sort((a, b) => a - b);
  const at = (share: number): number => (times[Math.floor(count * share)] ?? Number.NaN) * 1000;
  return { p50: at(0.5), p99: at(0.99) };
}

/** Until the watcher knows so many. */
async function until(count: number): Promise<void> {
  for (;;) {
    const { value, done } = (await changes?.next()) ?? { done: true, value: undefined };
    if (done) throw new Error('the watch has ended');
    if (value.length === count) return;
  }
}

function liveBytes(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

process.stdout.write('{}\n');
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await perform(JSON.parse(line) as Task))}\n`);
}
process.exit();
