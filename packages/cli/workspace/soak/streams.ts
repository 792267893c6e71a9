import { sleep } from '@quorate/core';
import { type Consumer, Stream, type Topic } from '@quorate/stream';
import { eventually, type FaultKind, faultSchedule, History, playFaults, seeded, Testbed } from '@quorate/testbed';

export interface StreamsOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

export interface StreamsOutcome {
  /** Messages by what their publisher was told. */
  readonly written: number;
  readonly unknown: number;
  readonly refused: number;
  readonly rebalances: number;
  readonly faults: number;
  /** What is not as promised. */
  readonly broken: readonly string[];
}

type Told = 'written' | 'unknown' | 'refused';

const brokers = ['kafka-1', 'kafka-2', 'kafka-3'];
const clients = ['publisher', 'first', 'second'];
const keys = 24;

/**
 * Three brokers are broken by a schedule while messages are published, and carried from one topic to another in transactions by a group that
 * shares out its partitions anew all the time. In the end every message is accounted for.
 */
export async function streams({ minutes, seed, signal, say }: StreamsOptions): Promise<StreamsOutcome> {
  await using bed = await Testbed.start({ kafka: { brokers: 3, clients } }, { signal });
  const length = Math.round(minutes * 60_000);
  const schedule = faultSchedule(seed, {
    length,
    faults: kinds(),
    pause: [500, 2_000],
    duration: [500, Math.min(8_000, Math.max(1_000, Math.round(length / 10)))],
  });
  const streamOf = (client: string, driver: 'platformatic' | 'kafkajs'): Stream =>
    new Stream({ brokers: bed.kafka.brokersFor(client), driver, clientId: client, requestTimeout: '3s' });
  await using calm = new Stream({ brokers: bed.kafka.url });
  const shape = { partitions: 6, replication: 3 };
  const [from, into] = [calm.topic('from', shape), calm.topic('into', shape)];
  await from.create({ signal });
  await into.create({ signal });

  const over = new AbortController();
  const chance = seeded(seed);
  await using publisher = streamOf('publisher', seed % 2 === 0 ? 'platformatic' : 'kafkajs');
  const told = new Map<string, Told>();
  const publishing = Array.from({ length: keys }, (_, key) =>
    publish(publisher.topic('from'), `key-${key}`, told, over.signal),
  );
  let rebalances = 0;
  // One of each library: a group may have members of both.
  const members = (['platformatic', 'kafkajs'] as const).map(async (driver, index) => {
    await using stream = streamOf(clients[index + 1] as string, driver);
    const own = chance.fork(driver);
    while (!over.signal.aborted) {
      const consumer = await carry(stream).catch(() => undefined);
      await sleep(own.integer(5_000, 20_000), { signal: over.signal }).catch(() => {});
      rebalances += consumer?.stats().rebalances ?? 0;
      await consumer?.stop();
    }
  });
  let faults = 0;
  const begin = performance.now();
  try {
    await playFaults(schedule, bed, new History(), {
      signal,
      onFault: ({ kind, target, from: side = [], duration }, state) => {
        if (state !== 'begins') return;
        faults += 1;
        const seconds = ((performance.now() - begin) / 1_000).toFixed(1).padStart(6);
        say(
          `${seconds} s  ${kind} ${target.join(', ')}${side.length > 0 ? ` | ${side.join(', ')}` : ''} for ${duration} ms`,
        );
      },
    });
  } finally {
    over.abort();
    await Promise.all([...publishing, ...members]);
  }
  // What is left is carried by one that nothing happens to.
  await using last = await carry(calm);
  await eventually(
    'all has been carried',
    async () => {
      const [report] = await calm.inspection().groups({ group: 'carriers' });
      return report?.partitions.length === shape.partitions && report.partitions.every(({ lag }) => lag === 0n);
    },
    { within: 120_000, every: 500 },
  );
  await last.stop();
  const count = (what: Told): number => [...told.values()].filter((one) => one === what).length;
  return {
    written: count('written'),
    unknown: count('unknown'),
    refused: count('refused'),
    rebalances,
    faults,
    broken: [...(await judgeLog(from, told)), ...(await judgeCarried(from, into))],
  };
}

function kinds(): FaultKind[] {
  const links = clients.flatMap((client) => brokers.map((broker) => `${client}~${broker}`));
  return [
    { kind: 'kill', targets: brokers, weight: 3 },
    { kind: 'pause', targets: brokers, weight: 2 },
    { kind: 'isolate', targets: brokers, weight: 2 },
    { kind: 'latency', targets: links },
    { kind: 'black-hole', targets: links, weight: 2 },
    { kind: 'deaf', targets: links },
    { kind: 'mute', targets: links },
    { kind: 'reset', targets: links, weight: 2 },
  ];
}

/** One message after the other under a key, whatever becomes of each. */
async function publish(topic: Topic, key: string, told: Map<string, Told>, over: AbortSignal): Promise<void> {
  for (let number = 0; !over.aborted; number += 1) {
    const id = `${key} ${number}`;
    try {
      await topic.publish({ key, value: number, id });
      told.set(id, 'written');
    } catch (error) {
      told.set(id, (error as { readonly happened?: string }).happened === 'no' ? 'refused' : 'unknown');
      await sleep(50, { signal: over }).catch(() => {});
    }
  }
}

function carry(stream: Stream): Promise<Consumer> {
  const into = stream.topic('into');
  return stream.topic('from').consume({
    group: 'carriers',
    sessionTimeout: '6s',
    transactional: true,
    handler: async ({ key, value, id = '' }, { transaction }) => {
      await transaction.publish(into, { key: key ?? '', value, id });
    },
  });
}

async function idsOf(topic: Topic): Promise<Map<string, string[]>> {
  const ids = new Map<string, string[]>();
  for await (const { key, id = '' } of topic.read()) {
    const own = ids.get(String(key)) ?? [];
    ids.set(String(key), own);
    own.push(id);
  }
  return ids;
}

async function judgeLog(topic: Topic, told: ReadonlyMap<string, Told>): Promise<string[]> {
  const broken: string[] = [];
  const there = new Set<string>();
  for (const [key, ids] of await idsOf(topic)) {
    let before = -1;
    for (const id of ids) {
      if (there.has(id)) broken.push(`${id} is there twice`);
      there.add(id);
      const number = Number(id.split(' ')[1]);
      if (number < before) broken.push(`${key}: ${number} after ${before}`);
      before = Math.max(before, number);
    }
  }
  for (const [id, what] of told) {
    if (what === 'written' && !there.has(id)) broken.push(`${id} was acknowledged, and is not there`);
    if (what === 'refused' && there.has(id)) broken.push(`${id} was refused, and is there`);
  }
  return broken;
}

async function judgeCarried(from: Topic, into: Topic): Promise<string[]> {
  const [before, after] = [await idsOf(from), await idsOf(into)];
  const broken: string[] = [];
  for (const [key, ids] of before) {
    const carried = after.get(key) ?? [];
    const first = ids.findIndex((id, index) => carried[index] !== id);
    if (first >= 0 || carried.length !== ids.length)
      broken.push(`${key}: ${ids.length} messages became ${carried.length}; the first that differs is number ${first}`);
  }
  return broken;
}
