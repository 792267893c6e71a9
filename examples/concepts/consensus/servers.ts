import { type Server, type StartOptions, Testbed } from '@quorate/testbed';

/** Three servers that clients take for one. */
export interface Servers extends AsyncDisposable {
  /** For a client: all three. */
  readonly url: string;
  readonly all: readonly Server[];
  readonly nameOf: (server: Server) => string;
  /** What is said of the one who decides. */
  readonly leads: string;
  /** Who decides now; undefined while nobody does. */
  leader(): Promise<Server | undefined>;
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
    leads: 'is asked first: nobody leads here',
    leader: async () => all.find(({ state }) => state === 'running'),
    [Symbol.asyncDispose]: () => beds.disposeAsync(),
  };
}
