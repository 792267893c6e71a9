import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { quantile } from '../../quantile.ts';
import type { Answer, Task } from '../tasks.ts';

/** A message of about 200 bytes. */
export interface Ride {
  readonly n: number;
  readonly at: number;
  readonly text: string;
}

type Stop = () => Promise<void>;

/** What a client has to be able to do. */
export interface Client {
  /** Publishes these together, keyed by number; resolves when all replicas in sync have them. */
  publish(topic: string, rides: readonly Ride[]): Promise<unknown>;
  /** From the beginning, as a member of a group of its own; resolves when it reads. */
  consume(topic: string, handle: (ride: Ride) => unknown, one?: 'at a time'): Promise<Stop>;
  /** Both sides of request and reply: the reply is the request. */
  asking(topic: string): Promise<{ readonly ask: (ride: Ride) => Promise<unknown>; readonly stop: Stop }>;
}

const text = 'x'.repeat(160);
const ride = (n: number): Ride => ({ n, at: Date.now(), text });

/** Does what is asked for, one task after the other, until nothing more comes. */
export async function serve(open: (brokers: string) => Promise<Client>): Promise<void> {
  const client = await open(process.env.QUORATE_KAFKA ?? '');
  process.stdout.write('{}\n');
  for await (const line of createInterface({ input: process.stdin })) {
    const answer = await perform(client, JSON.parse(line) as Task);
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  // Connections of some libraries keep the process alive.
  process.exit();
}

function perform(client: Client, task: Task): Promise<Answer> {
  if (task.task === 'publish') return publish(client, task);
  if (task.task === 'consume') return consume(client, task);
  if (task.task === 'endToEnd') return endToEnd(client, task);
  if (task.task === 'ask') return ask(client, task);
  return slow(client, task);
}

async function publish(
  client: Client,
  { topic, callers, batch, count }: Extract<Task, { task: 'publish' }>,
): Promise<Answer> {
  let left = count;
  const times: number[] = [];
  const caller = async (): Promise<void> => {
    while (left > 0) {
      const size = Math.min(batch, left);
      left -= size;
      const rides = Array.from({ length: size }, (_, index) => ride(left + index));
      const before = performance.now();
      await client.publish(topic, rides);
      times.push(performance.now() - before);
    }
  };
  return timed(async () => {
    await Promise.all(Array.from({ length: callers }, caller));
    return times;
  });
}

async function consume(client: Client, { topic, count }: Extract<Task, { task: 'consume' }>): Promise<Answer> {
  const done = Promise.withResolvers<void>();
  let seen = 0;
  let begin = 0;
  let cpu = process.cpuUsage();
  const stop = await client.consume(topic, () => {
    if (seen === 0) {
      begin = performance.now();
      cpu = process.cpuUsage();
    }
    seen += 1;
    if (seen === count) done.resolve();
  });
  await done.promise;
  const seconds = (performance.now() - begin) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  await stop();
  return { seconds, cpuMicroseconds: user + system };
}

async function endToEnd(
  client: Client,
  { topic, perSecond, seconds }: Extract<Task, { task: 'endToEnd' }>,
): Promise<Answer> {
  const count = perSecond * seconds;
  const dues: number[] = [];
  const times: number[] = [];
  const done = Promise.withResolvers<void>();
  const run = Math.floor(Math.random() * 1e9);
  const stop = await client.consume(topic, ({ n, at }) => {
    if (at !== run) return;
    times.push(performance.now() - (dues[n] ?? 0));
    if (times.length === count) done.resolve();
  });
  const begin = performance.now();
  const sent: Promise<unknown>[] = [];
  while (sent.length < count) {
    const due = Math.min(count, Math.floor(((performance.now() - begin) / 1_000) * perSecond) + 1);
    while (sent.length < due) {
      const n = sent.length;
      dues[n] = begin + (n / perSecond) * 1_000;
      sent.push(client.publish(topic, [{ n, at: run, text }]));
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(sent);
  await done.promise;
  await stop();
  // The first second is that of whoever has to warm up.
  return percentiles(times.slice(perSecond));
}

async function ask(client: Client, { topic, callers, count }: Extract<Task, { task: 'ask' }>): Promise<Answer> {
  const asking = await client.asking(topic);
  for (let warm = 0; warm < 200; warm += 1) await asking.ask(ride(warm));
  let left = count;
  const times: number[] = [];
  const caller = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const before = performance.now();
      await asking.ask(ride(left));
      times.push(performance.now() - before);
    }
  };
  const answer = await timed(async () => {
    await Promise.all(Array.from({ length: callers }, caller));
    return times;
  });
  await asking.stop();
  return answer;
}

async function slow(client: Client, { topic }: Extract<Task, { task: 'slow' }>): Promise<Answer> {
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  let most = before;
  const stop = await client.consume(
    topic,
    async () => {
      await wait(5);
      most = Math.max(most, process.memoryUsage().rss);
    },
    'at a time',
  );
  await wait(5_000);
  const megabytes = (most - before) / 2 ** 20;
  void stop();
  return { megabytes };
}

async function timed(work: () => Promise<number[]>): Promise<Answer> {
  const cpu = process.cpuUsage();
  const begin = performance.now();
  const times = await work();
  const seconds = (performance.now() - begin) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { seconds, cpuMicroseconds: user + system, ...percentiles(times) };
}

function percentiles(times: number[]): { readonly p50: number; readonly p99: number } {
  const sorted = times.toSorted((a, b) => a - b);
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
}

/** Request and reply by two topics, as it is written without a library for it. */
export function overTwoTopics(
  { publish: send, consume: read }: Pick<Client, 'publish' | 'consume'>,
  topic: string,
): ReturnType<Client['asking']> {
  return (async () => {
    const waiting = new Map<number, () => void>();
    const stopResponder = await read(topic, (request) => send(`${topic}.replies`, [request]));
    const stopRequester = await read(`${topic}.replies`, ({ n }) => {
      waiting.get(n)?.();
      waiting.delete(n);
    });
    let number = 0;
    return {
      ask: (request) =>
        new Promise<void>((resolve, reject) => {
          number += 1;
          waiting.set(number, resolve);
          send(topic, [{ ...request, n: number }]).catch(reject);
        }),
      stop: async () => {
        await stopResponder();
        await stopRequester();
      },
    };
  })();
}
