import { InvalidArgumentError } from '@quorate/core';
import type { PlannedFault } from '../history/fault-schedule.ts';
import type { Link } from '../links/link.ts';
import type { LinkFaults } from '../links/link-faults.ts';
import type { Server } from '../processes/server.ts';
import type { ZooKeeper } from '../servers/zookeeper.ts';
import type { Testbed } from '../testbed.ts';

/** A fault, ready to begin. */
export interface Fault {
  /** What it breaks, by name. */
  readonly target: readonly string[];
  readonly detail?: string;
  /** Servers that no other fault may break at the same time. */
  readonly servers: readonly Server[];
  /** Links of which the same is true. */
  readonly links?: readonly Link[];
  begin(): Promise<void>;
  end(): Promise<void>;
}

/** How a kind of fault is done to a bed. Called when it is due; throws an InvalidArgumentError for a target it cannot break. */
export type PrepareFault = (bed: Testbed, fault: PlannedFault) => Promise<Fault>;

/** Stands for whichever member leads when the fault begins. */
const leaderName = 'zookeeper-leader';

/** Every kind that a schedule may name. Targets are servers (`zookeeper-leader` too), or links as `client-1~zookeeper-2`. */
export const faults: Readonly<Record<string, PrepareFault>> = {
  kill: onServer((server) => ({ begin: () => server.kill(), end: () => bringBack(server) })),
  pause: onServer((server) => ({ begin: () => server.pause(), end: () => wake(server) })),
  slow: onServer((server) => ({ begin: () => server.slow({ duty: 0.3 }), end: () => wake(server) })),
  'full-disk': onServer((server) => {
    if (!server.hasDisk) throw new InvalidArgumentError('target', 'a server of a bed with { disk: … }', server.name);
    const end = async (): Promise<void> => {
      await server.freeDisk();
      // What it did not write it may have given up for good.
      await server.restart();
    };
    return { begin: () => server.fillDisk(), end };
  }),
  // From the other servers of its kind, while clients still reach it.
  isolate: onServer((server, bed) => {
    const others = neighbours(bed, server).map(({ name }) => name);
    return cutting(bed, [server.name], others);
  }),
  partition: async (bed, { target, from = [] }) => {
    const servers = new Set(bed.servers.map(({ name }) => name));
    // Two servers without a link between them cannot be parted: better to be told now than halfway through a run.
    for (const a of target) for (const b of from) if (servers.has(a) && servers.has(b)) bed.link(a, b);
    return {
      target: [...target, ...from],
      detail: `${target.join(', ')} | ${from.join(', ')}`,
      servers: [],
      ...cutting(bed, target, from),
    };
  },
  latency: onLink({ latencyMs: 50, jitterMs: 100 }),
  narrow: onLink({ bytesPerSecond: 2_000 }),
  'black-hole': onLink({ blackHole: true }),
  deaf: onLink(([, to]) => ({ blackHole: to })),
  mute: onLink(([from]) => ({ blackHole: from })),
  'half-open': onLink(([from]) => ({ halfOpen: from })),
  cut: onLink(([, to]) => ({ cut: { afterBytes: 1_000, from: to } })),
  reset: onLink({ refuse: true }),
};

type Ends = Pick<Fault, 'begin' | 'end'>;

/** Whoever plays faults may have brought it back before. */
async function bringBack(server: Server): Promise<void> {
  if (server.pid === undefined) await server.start();
}

/** It may have died meanwhile. */
async function wake(server: Server): Promise<void> {
  if (server.pid === undefined) await server.start();
  else await server.resume();
}

function onServer(ends: (server: Server, bed: Testbed) => Ends): PrepareFault {
  return async (bed, { target: [name = ''] }) => {
    const server = name === leaderName ? await leaderOf(bed) : bed.server(name);
    return {
      target: [server.name],
      servers: [server],
      ...(name === leaderName && { detail: name }),
      ...ends(server, bed),
    };
  };
}

function onLink(faults: LinkFaults | ((parties: Link['parties']) => LinkFaults)): PrepareFault {
  return async (bed, { target: [name = ''] }) => {
    const [from = '', to = ''] = name.split('~');
    const link = bed.link(from, to);
    const given = typeof faults === 'function' ? faults(link.parties) : faults;
    return { target: [from, to], servers: [], links: [link], begin: () => link.set(given), end: () => link.set({}) };
  };
}

function cutting(bed: Testbed, left: readonly string[], right: readonly string[]): Ends {
  let heal = async (): Promise<void> => {};
  return {
    begin: async () => {
      const partition = await bed.partition(left, right);
      heal = () => partition.heal();
    },
    end: () => heal(),
  };
}

async function leaderOf(bed: Testbed): Promise<Server> {
  const zookeeper = ensembleOf(bed);
  const [first] = zookeeper?.members ?? [];
  if (!zookeeper || !first)
    throw new InvalidArgumentError('target', 'a server of the bed, which has no ZooKeeper', leaderName);
  return (await zookeeper.leader()) ?? first;
}

function neighbours(bed: Testbed, server: Server): readonly Server[] {
  const others = bed.neighbours(server);
  if (others.length === 0)
    throw new InvalidArgumentError('target', 'a server that reaches others through links', server.name);
  return others;
}

function ensembleOf(bed: Testbed): ZooKeeper | undefined {
  return (bed as { readonly zookeeper?: ZooKeeper }).zookeeper;
}
