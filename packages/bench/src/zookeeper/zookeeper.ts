import { Testbed } from '@quorate/testbed';
import type { Benchmark, Figure } from '../benchmark.ts';
import { inTurn, startPeers } from '../peer.ts';
import { type ClientPeer, clients } from './clients.ts';
import type { Answer, Task } from './tasks.ts';

interface Measure {
  readonly task: Task;
  /** In a new process: memory that an earlier task has left free would hide what this one takes. */
  readonly fresh?: true;
  /** The figures that are taken from an answer. */
  readonly figures: readonly {
    readonly name: string;
    readonly unit: Figure['unit'];
    readonly of: (answer: Required<Answer>) => number;
  }[];
}

const perOperation = (count: number): Measure['figures'][number] => ({
  name: 'processor time of the client, each',
  unit: 'µs',
  of: ({ cpuMicroseconds }) => cpuMicroseconds / count,
});
const rate = (count: number): Measure['figures'][number] => ({
  name: 'rate',
  unit: '/s',
  of: ({ seconds }) => count / seconds,
});
const p50: Measure['figures'][number] = { name: 'p50', unit: 'µs', of: (answer) => answer.p50 };
const p99: Measure['figures'][number] = { name: 'p99', unit: 'µs', of: (answer) => answer.p99 };

const measures: Readonly<Record<string, Measure>> = {
  'get, 1 in flight': { task: { task: 'get', count: 5_000, inFlight: 1 }, figures: [p50, p99, perOperation(5_000)] },
  'set, 1 in flight': { task: { task: 'set', count: 2_000, inFlight: 1 }, figures: [p50, p99, perOperation(2_000)] },
  'get, 256 in flight': {
    task: { task: 'get', count: 40_000, inFlight: 256 },
    figures: [rate(40_000), perOperation(40_000)],
  },
  'set, 256 in flight': {
    task: { task: 'set', count: 20_000, inFlight: 256 },
    figures: [rate(20_000), perOperation(20_000)],
  },
  'create and delete': { task: { task: 'createDelete', count: 1_000 }, figures: [p50, p99] },
  '10,000 watches fired': {
    task: { task: 'watches', count: 10_000 },
    figures: [{ name: 'in all', unit: 's', of: ({ seconds }) => seconds }],
  },
  'a watch': {
    task: { task: 'watchMemory', count: 20_000 },
    fresh: true,
    figures: [{ name: 'live memory', unit: 'B', of: ({ bytes }) => bytes }],
  },
  'a session': {
    task: { task: 'sessionMemory', count: 500 },
    fresh: true,
    figures: [{ name: 'live memory', unit: 'B', of: ({ bytes }) => bytes }],
  },
};

/** Our client beside its peers on one server. They take turns within each round, in an order that changes. */
export const zookeeper: Benchmark = {
  name: 'zookeeper',
  what: 'ZooKeeper clients side by side, on one server',
  rounds: 5,
  measure: async (rounds) => {
    // The server compiles fully: it is what all are measured against, and it must not change under them.
    await using bed = await Testbed.start({
      zookeeper: { members: 1, jvm: ['-XX:TieredStopAtLevel=4', '-Xmx1g'], config: { maxClientCnxns: 0 } },
    });
    const peers = await startPeers(clients, bed.zookeeper.url);
    const values = new Map<string, number[]>();
    try {
      await warmUp(peers);
      for (let round = 0; round < rounds; round += 1) {
        for (const [name, measure] of Object.entries(measures)) {
          for (const peer of inTurn(peers, round)) {
            await take(name, measure, peer, bed.zookeeper.url, values);
          }
        }
        console.error(`round ${round + 1} of ${rounds}`);
      }
    } finally {
      for (const peer of peers) await peer[Symbol.asyncDispose]();
    }
    return Object.entries(measures).flatMap(([name, { figures }]) =>
      figures.flatMap((figure) =>
        peers.map((peer): Figure => {
          const title = titleOf(name, figure.name, peer);
          return { name: title, unit: figure.unit, values: values.get(title) ?? [] };
        }),
      ),
    );
  },
};

/** A Java machine compiles for ten seconds before its times mean anything; the others get the same. */
async function warmUp(peers: readonly ClientPeer[]): Promise<void> {
  for (const peer of peers) {
    const until = performance.now() + 10_000;
    while (performance.now() < until) {
      await peer.perform({ task: 'get', count: 5_000, inFlight: 256 });
      await peer.perform({ task: 'set', count: 500, inFlight: 1 });
    }
  }
}

async function take(
  name: string,
  { task, figures, fresh }: Measure,
  peer: ClientPeer,
  url: string,
  values: Map<string, number[]>,
): Promise<void> {
  const answer = (await (fresh ? performAnew(task, peer.name, url) : peer.perform(task))) as Required<Answer>;
  for (const figure of figures) {
    const title = titleOf(name, figure.name, peer);
    values.set(title, [...(values.get(title) ?? []), figure.of(answer)]);
  }
}

async function performAnew(task: Task, name: string, url: string): Promise<Answer> {
  await using peer = await clients[name]?.(url);
  return (await peer?.perform(task)) ?? {};
}

function titleOf(measure: string, figure: string, peer: ClientPeer): string {
  return `${measure}, ${figure}: ${peer.name}`;
}
