import { Stream } from '@quorate/stream';
import { Testbed } from '@quorate/testbed';
import type { Benchmark, Figure } from '../benchmark.ts';
import { inTurn } from '../peer.ts';
import { SideBySide } from '../side-by-side.ts';
import { type Contestant, names, start } from './contestants.ts';
import type { Answer, Task } from './tasks.ts';

interface Reading {
  readonly name: string;
  readonly unit: Figure['unit'];
  readonly of: (answer: Required<Answer>) => number;
}

interface Measure {
  readonly name: string;
  readonly task: (topic: string) => Task;
  /** Messages that are there before. */
  readonly filled?: number;
  /** In a new process: memory that an earlier task has left free would hide what this one takes. */
  readonly fresh?: true;
  readonly figures: readonly Reading[];
}

const p50: Reading = { name: 'p50', unit: 'ms', of: (answer) => answer.p50 };
const p99: Reading = { name: 'p99', unit: 'ms', of: (answer) => answer.p99 };
const rate = (count: number): Reading => ({ name: 'rate', unit: '/s', of: ({ seconds }) => count / seconds });
const cpu = (count: number): Reading => ({
  name: 'processor time, each',
  unit: 'µs',
  of: ({ cpuMicroseconds }) => cpuMicroseconds / count,
});

function measures(quick: boolean): readonly Measure[] {
  const scale = quick ? 0.05 : 1;
  const publish = (callers: number, batch: number, all: number): Measure => {
    const count = Math.ceil(all * scale);
    const who = `${callers} ${callers === 1 ? 'caller' : 'callers'}`;
    return {
      name: `publish ${batch} a call, ${who}`,
      task: (topic) => ({ task: 'publish', topic, callers, batch, count }),
      figures: callers === 1 ? [p50, p99, rate(count), cpu(count)] : [rate(count), p50, p99, cpu(count)],
    };
  };
  const steady = (perSecond: number): Measure => ({
    name: `end to end at ${perSecond} a second`,
    task: (topic) => ({ task: 'endToEnd', topic, perSecond, seconds: quick ? 3 : 6 }),
    figures: [p50, p99],
  });
  const ask = (callers: number, all: number): Measure => {
    const count = Math.ceil(all * scale);
    return {
      name: `request and reply, ${callers} ${callers === 1 ? 'caller' : 'callers'}`,
      task: (topic) => ({ task: 'ask', topic, callers, count }),
      figures: callers === 1 ? [p50, p99] : [rate(count), p50, p99],
    };
  };
  const filled = Math.ceil(200_000 * scale);
  return [
    publish(1, 1, 1_000),
    publish(64, 1, 20_000),
    publish(1, 100, 50_000),
    publish(8, 100, 100_000),
    {
      name: 'consume',
      filled,
      task: (topic) => ({ task: 'consume', topic, count: filled }),
      figures: [rate(filled), cpu(filled)],
    },
    steady(200),
    steady(5_000),
    ask(1, 1_000),
    ask(64, 10_000),
    {
      name: 'memory before a slow handler',
      filled,
      fresh: true,
      task: (topic) => ({ task: 'slow', topic }),
      figures: [{ name: 'growth', unit: 'MB', of: ({ megabytes }) => megabytes }],
    },
  ];
}

/** Our streams beside the client libraries that they stand on, on one broker. They take turns within each round, in an order that changes. */
export const stream: Benchmark = {
  name: 'stream',
  what: 'publishing, consuming, and request and reply, compared with the bare Kafka clients, on one broker',
  rounds: 3,
  measure: async (rounds, { quick }) => {
    await using bed = await Testbed.start({ kafka: { brokers: 1, jvm: ['-Xmx1g'] } });
    await using admin = new Stream({ brokers: bed.kafka.url });
    const sides = new SideBySide();
    await using contestants = new AsyncDisposableStack();
    const peers: Contestant[] = [];
    for (const name of names) peers.push(contestants.use(await start(name, bed.kafka.url)));
    let number = 0;
    const topicFor = async (task: Task['task']): Promise<string> => {
      number += 1;
      const name = `bench-${number}`;
      await admin.topic(name, { partitions: 6 }).create();
      // What needs a second one makes it by itself, or finds this one.
      if (task === 'ask') await admin.topic(`${name}.replies`, { partitions: 6 }).create();
      return name;
    };
    const take = async ({ name, task, filled, fresh, figures }: Measure, peer: Contestant): Promise<void> => {
      const topic = await topicFor(task('').task);
      if (filled) await fill(admin, topic, filled);
      const answer = fresh ? await anew(peer.name, bed.kafka.url, task(topic)) : await peer.perform(task(topic));
      for (const { name: figure, unit, of } of figures)
        sides.add(`${name}, ${figure}`, peer.name, unit, of(answer as Required<Answer>));
    };
    const all = measures(quick);
    // Until what is compiled is compiled; each gets the same.
    for (const peer of peers) {
      const topic = await topicFor('publish');
      await peer.perform({ task: 'publish', topic, callers: 16, batch: 10, count: 20_000 });
      await peer.perform({ task: 'consume', topic, count: 20_000 });
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const measure of all) for (const peer of inTurn(peers, round)) await take(measure, peer);
      console.error(`round ${round + 1} of ${rounds}`);
    }
    for (const ours of names.slice(0, 2)) {
      const bare = ours.replace('quorate on ', '');
      for (const { name, figures } of all) {
        for (const { name: figure } of figures) {
          sides.ratio(`${name}, ${figure}`, ours, bare, aimOf(name, figure));
          if (figure === 'rate' && bare !== 'kafkajs')
            sides.ratio(`${name}, ${figure}`, ours, 'kafkajs', { aim: 1, more: true });
        }
      }
    }
    return sides.all('', {});
  },
};

/** What was promised beside the bare client that ours stands on. */
function aimOf(measure: string, figure: string): Pick<Figure, 'aim' | 'more'> {
  if (figure === 'rate') return { aim: 0.95, more: true };
  return measure.startsWith('request') && figure === 'p50' ? { aim: 1.1 } : {};
}

async function fill(admin: Stream, name: string, count: number): Promise<void> {
  const topic = admin.topic(name);
  const text = 'x'.repeat(160);
  for (let from = 0; from < count; from += 5_000) {
    const size = Math.min(5_000, count - from);
    await topic.publishMany(
      Array.from({ length: size }, (_, index) => ({ key: from + index, value: { n: from + index, at: 0, text } })),
    );
  }
}

async function anew(name: string, brokers: string, task: Task): Promise<Answer> {
  const peer = await start(name, brokers);
  const answer = await peer.perform(task);
  await peer.kill();
  return answer;
}
