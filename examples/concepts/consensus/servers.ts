import { type Server, type StartOptions, Testbed } from '@quorate/testbed';
import { readLedger } from './writer.ts';

/** Three servers that clients take for one. */
export interface Servers extends AsyncDisposable {
  /** For a client: all three. */
  readonly url: string;
  readonly all: readonly Server[];
  readonly nameOf: (server: Server) => string;
  /** What the demo says of the server that it kills. */
  readonly leads: string;
  /** What the demo says of the time between two of them. */
  readonly gap: string;
  /** Who decides now; undefined while nobody does. `acknowledged` are the entries that the writers know are kept. */
  leader(acknowledged: ReadonlySet<string>, signal: AbortSignal): Promise<Server | undefined>;
}

const config = { tickTime: 250, maxSessionTimeout: 20_000 };

/** An ensemble: a write is acknowledged when two of the three have it on their disks. */
export async function inAgreement(start: StartOptions): Promise<Servers> {
  const bed = await Testbed.start({ zookeeper: { members: 3, config } }, start);
  return {
    url: bed.zookeeper.url,
    all: bed.servers,
    nameOf: ({ name }) => name,
    leads: 'leads',
    gap: 'without a leader',
    leader: () => bed.zookeeper.leader(),
    [Symbol.asyncDispose]: () => bed.stop(),
  };
}

/** The sabotage: three servers that have never heard of each other. Each acknowledges a write when it has it itself. */
export async function eachForItself(start: StartOptions): Promise<Servers> {
  await using cleanup = new AsyncDisposableStack();
  const all: Server[] = [];
  for (let number = 1; number <= 3; number += 1) {
    const bed = cleanup.use(await Testbed.start({ zookeeper: { config } }, start));
    all.push(bed.zookeeper.member(1));
  }
  const beds = cleanup.move();
  return {
    url: all.map(({ address }) => address).join(','),
    all,
    nameOf: (server) => `zookeeper-${all.indexOf(server) + 1}`,
    leads: 'has acknowledged writes by itself: nobody leads here',
    gap: 'until the next server has acknowledged a write',
    // Nobody decides. Two servers are killed one after the other, each when it has acknowledged an entry that no other has:
    // so whichever server is read from at the end, something is missing there.
    leader: async (acknowledged, signal) => {
      for (const server of all) {
        if (server.state !== 'running') continue;
        if ((await readLedger(server.address, signal)).some((entry) => acknowledged.has(entry))) return server;
      }
      return undefined;
    },
    [Symbol.asyncDispose]: () => beds.disposeAsync(),
  };
}
