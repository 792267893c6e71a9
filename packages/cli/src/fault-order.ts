import { randomUUID } from 'node:crypto';
import { InvalidArgumentError, isQuorateError } from '@quorate/core';
import { type Fault, faults, type Link, type LinkFaults, type Server, type Testbed } from '@quorate/testbed';
import type { FaultEnds } from './fault-ends.ts';

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

type Carry = (bed: Testbed, order: FaultOrder, ends: FaultEnds) => Promise<Partial<FaultReport>>;

/** Orders that end a fault, or shape a link, beside the kinds of faults there are. */
const others: Readonly<Record<string, Carry>> = {
  resume: (bed, { target: [name = ''] }, ends) => ends.replace([name], () => bed.server(name).resume()).then(nothing),
  restart: (bed, { target: [name = ''] }, ends) => ends.replace([name], () => bed.server(name).restart()).then(nothing),
  heal: (bed, { target: [name] }, ends) =>
    (name === undefined ? heal(bed, ends) : healOne(bed, name, ends)).then(nothing),
  link: async (bed, { target: [name = ''], settings }, ends) => {
    const link = linkOf(bed, name);
    if (settings) await ends.replace([partOf(link)], () => link.set(settings));
    return { ...(await addressOf(link)), faults: link.faults };
  },
};

export const faultKinds: readonly string[] = [...Object.keys(faults), ...Object.keys(others)];

/** Does it to the bed, or throws an InvalidArgumentError before anything is touched. `ends` is the same for every order. */
export async function carryOut(bed: Testbed, order: FaultOrder, ends: FaultEnds): Promise<FaultReport> {
  const { kind, target, from } = order;
  const other = others[kind];
  const more = other ? await other(bed, order, ends) : await begin(bed, order, ends);
  const servers = bed.servers.map(({ name, state }) => ({ name, state }));
  return { kind, target: [...target, ...from], servers, ...more };
}

async function begin(
  bed: Testbed,
  { kind, target, from, lasts }: FaultOrder,
  ends: FaultEnds,
): Promise<Partial<FaultReport>> {
  const prepare = faults[kind];
  if (!prepare) throw new InvalidArgumentError('kind', faultKinds.join(', '), kind);
  const fault = await prepare(bed, { kind, target, from, at: 0, duration: lasts ?? 0 });
  const parts = partsOf(kind, fault);
  await ends.replace(parts, () => fault.begin());
  if (lasts !== undefined)
    for (const part of parts) ends.plan(part, kind, performance.now() + lasts, () => fault.end());
  return { target: fault.target };
}

/** What a fault breaks for itself: an earlier fault of the same part is over when it begins. */
function partsOf(kind: string, { servers, links = [] }: Fault): string[] {
  // Of several partitions each ends by itself, whatever links they share.
  if (kind === 'partition' || kind === 'isolate') return [`${kind} ${randomUUID()}`];
  return [...servers.map(({ name }) => (kind === 'full-disk' ? diskOf(name) : name)), ...links.map(partOf)];
}

const diskOf = (server: string): string => `the disk of ${server}`;
const partOf = ({ parties }: Link): string => parties.join('~');

/** A server that was killed for a time is started then: healing leaves it killed until that. */
async function heal(bed: Testbed, ends: FaultEnds): Promise<void> {
  await ends.replace(ends.partsExcept('kill'), () => bed.heal());
}

async function healOne(bed: Testbed, name: string, ends: FaultEnds): Promise<void> {
  if (name.includes('~')) {
    const link = linkOf(bed, name);
    return ends.replace([partOf(link)], () => link.heal());
  }
  const server: Server = bed.server(name);
  if (server.isDiskFull) await ends.replace([diskOf(name)], () => server.freeDisk());
  if (server.state === 'paused' || server.isSlow) await ends.replace([name], () => server.resume());
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
