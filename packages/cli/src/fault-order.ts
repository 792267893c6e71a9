import { InvalidArgumentError, isQuorateError } from '@quorate/core';
import { faults, type Link, type LinkFaults, type Server, type Testbed } from '@quorate/testbed';

/** A fault that somebody asks for, of a bed in the background. */
export interface FaultOrder {
  readonly kind: string;
  /** Servers, or links as `client-a~redis-1`; for a partition the names on the left. */
  readonly target: readonly string[];
  /** The names on the right of a partition. */
  readonly from: readonly string[];
  /** Ends by itself after so many milliseconds. */
  readonly lasts?: number;
  /** What is to be wrong with a link. */
  readonly settings?: LinkFaults;
}

export interface FaultReport {
  readonly kind: string;
  readonly target: readonly string[];
  /** Where the first party of a link connects to reach the second. */
  readonly address?: string;
  /** What is wrong with the link now. */
  readonly faults?: LinkFaults;
  readonly servers: readonly { readonly name: string; readonly state: string }[];
}

/** Orders that end a fault, or shape a link, beside the kinds of faults there are. */
const others: Readonly<Record<string, (bed: Testbed, order: FaultOrder) => Promise<Partial<FaultReport>>>> = {
  resume: (bed, { target: [name = ''] }) => bed.server(name).resume().then(nothing),
  restart: (bed, { target: [name = ''] }) => bed.server(name).restart().then(nothing),
  heal: (bed, { target: [name] }) => (name === undefined ? bed.heal() : healOne(bed, name)).then(nothing),
  link: async (bed, { target: [name = ''], settings }) => {
    const link = linkOf(bed, name);
    if (settings) await link.set(settings);
    return { ...(await addressOf(link)), faults: link.faults };
  },
};

export const faultKinds: readonly string[] = [...Object.keys(faults), ...Object.keys(others)];

/** Does it to the bed, or throws an InvalidArgumentError before anything is touched. */
export async function carryOut(bed: Testbed, order: FaultOrder): Promise<FaultReport> {
  const { kind, target, from } = order;
  const other = others[kind];
  const more = other ? await other(bed, order) : await begin(bed, order);
  const servers = bed.servers.map(({ name, state }) => ({ name, state }));
  return { kind, target: [...target, ...from], servers, ...more };
}

async function begin(bed: Testbed, { kind, target, from, lasts }: FaultOrder): Promise<Partial<FaultReport>> {
  const prepare = faults[kind];
  if (!prepare) throw new InvalidArgumentError('kind', faultKinds.join(', '), kind);
  const fault = await prepare(bed, { kind, target, from, at: 0, duration: lasts ?? 0 });
  await fault.begin();
  // Nobody is there to be told when it cannot end: the state of the servers says so.
  if (lasts !== undefined) setTimeout(() => void fault.end().catch(nothing), lasts).unref();
  return { target: fault.target };
}

async function healOne(bed: Testbed, name: string): Promise<void> {
  if (name.includes('~')) return linkOf(bed, name).heal();
  const server: Server = bed.server(name);
  if (server.isDiskFull) await server.freeDisk();
  if (server.state === 'paused' || server.isSlow) await server.resume();
}

function linkOf(bed: Testbed, name: string): Link {
  const [from = '', to = ''] = name.split('~');
  return bed.link(from, to);
}

/** Two members of an ensemble find each other: their link has no address. */
async function addressOf(link: Link): Promise<{ readonly address?: string }> {
  try {
    return { address: await link.address };
  } catch (error) {
    if (isQuorateError(error, 'invalid-argument')) return {};
    throw error;
  }
}

function nothing(): Partial<FaultReport> {
  return {};
}
