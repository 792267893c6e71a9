import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { quantile } from '../../quantile.ts';
import type { Answer, Task } from '../tasks.ts';

export interface Work {
  step(number: number): Promise<void>;
}

/** What is compared: a client and a worker of one queue, in one process. */
export interface Client {
  /** Resolves when the workflow of so many steps has ended. */
  run(id: string, steps: number, taskQueue?: string): Promise<unknown>;
  /** Resolves when it was started. */
  begin(id: string, steps: number): Promise<unknown>;
  /** Starts one more worker, at this queue, and gives what stops it. One connection has one worker of each. */
  worker(taskQueue: string): Promise<() => Promise<void>>;
}

/** Does what it is asked until its input ends. `open` is given what activities do, and the address and the queue. */
export async function serve(open: (address: string, taskQueue: string, work: Work) => Promise<Client>): Promise<void> {
  const { QUORATE_TEMPORAL: address = '', QUORATE_QUEUE: taskQueue = '' } = process.env;
  const first: number[] = [];
  let begun = new Map<string, number>();
  let heard: (() => void) | undefined;
  const work: Work = {
    step: async (number) => {
      if (number === 0) for (const at of begun.values()) first.push(performance.now() - at);
      heard?.();
    },
  };
  const client = await open(address, taskQueue, work);
  const flow = async (callers: number, steps: number, count: number): Promise<Answer> => {
    const took: number[] = [];
    first.length = 0;
    let left = count;
    const cpu = process.cpuUsage();
    const start = performance.now();
    const caller = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const id = `bench-${randomBytes(8).toString('hex')}`;
        const at = performance.now();
        // With one caller it is known whose first step it is.
        begun = callers === 1 ? new Map([[id, at]]) : new Map();
        await client.run(id, steps);
        took.push(performance.now() - at);
      }
    };
    await Promise.all(Array.from({ length: callers }, caller));
    const seconds = (performance.now() - start) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    took.sort((a, b) => a - b);
    first.sort((a, b) => a - b);
    return {
      seconds,
      p50: quantile(took, 0.5),
      p99: quantile(took, 0.99),
      cpuMicroseconds: user + system,
      megabytes: process.memoryUsage().rss / 1e6,
      ...(first.length > 0 && { first: quantile(first, 0.5) }),
    };
  };
  const perform = async (task: Task): Promise<Answer> => {
    if (task.task === 'flow') return await flow(task.callers, task.steps, task.count);
    if (task.task === 'begin') {
      await client.begin(task.id, 100_000);
      return {};
    }
    if (task.task === 'next') {
      await new Promise<void>((resolve) => {
        heard = resolve;
      });
      return { at: Date.now() };
    }
    const start = performance.now();
    const own = `${taskQueue}-${randomBytes(8).toString('hex')}`;
    const stop = await client.worker(own);
    await client.run(own, 1, own);
    const seconds = (performance.now() - start) / 1_000;
    await stop();
    return { seconds };
  };
  console.log('"ready"');
  for await (const line of createInterface({ input: process.stdin }))
    console.log(JSON.stringify(await perform(JSON.parse(line) as Task)));
  process.exit(0);
}
