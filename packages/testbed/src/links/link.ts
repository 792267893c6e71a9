import { createServer, type Server, type Socket } from 'node:net';
import { InvalidArgumentError } from '@quorate/core';
import { type Seeded, seeded } from '../history/seeded.ts';
import { type Ports, PortTakenError } from '../processes/ports.ts';
import { Connection, type Passage, type Weather } from './connection.ts';
import type { Condition } from './flow.ts';
import { checkFaults, type LinkFaults, type Parties } from './link-faults.ts';

/** How often in a second a link of little bandwidth lets something pass. */
const beatsPerSecond = 50;

type Way = Pick<Condition, 'delay' | 'pace'>;

/**
 * The way between two named parties. Connections that one opens to the other pass through this process, which delays,
 * loses or cuts them as told.
 *
 *     const link = bed.link('client-a', 'zookeeper-1');
 *     connect(await link.address);
 *     await link.set({ blackHole: true });
 */
export class Link {
  readonly parties: Parties;
  readonly #ports: Ports;
  readonly #portOf: (party: string) => number | undefined;
  readonly #connections = new Set<Connection>();
  readonly #cuts = new Set<object>();
  #faults: LinkFaults = {};
  /** The same as long as the faults are: what is on its way begins anew with another. */
  #way: Way = {};
  readonly #doors = new Map<string, Promise<string>>();
  readonly #servers: Server[] = [];

  /** `portOf` tells where a party listens, when the other is to connect to it by an address of ours. */
  constructor(parties: Parties, ports: Ports, portOf: (party: string) => number | undefined = () => undefined) {
    this.parties = parties;
    this.#ports = ports;
    this.#portOf = portOf;
  }

  /** Where the first party connects instead of to the second: `127.0.0.1:14022`. */
  get address(): Promise<string> {
    return this.addressOf(this.parties[1]);
  }

  /** Where the other party connects instead of to this one: to its own port, or to another one of it. */
  async addressOf(party: string, port: number | undefined = this.#portOf(party)): Promise<string> {
    const [first, second] = this.parties;
    if (party !== first && party !== second) throw new InvalidArgumentError('party', `${first} or ${second}`, party);
    if (port === undefined) {
      throw new InvalidArgumentError(
        'link',
        'a link to a party with a port: these two use theirs by themselves',
        this.parties,
      );
    }
    const passage = { from: party === first ? second : first, to: party, port };
    const known = this.#doors.get(`${party} ${port}`);
    const door = known ?? this.#ports.claim().then((claimed) => this.open(passage, '127.0.0.1', claimed));
    this.#doors.set(`${party} ${port}`, door);
    return door;
  }

  /** Listens there: who connects to it takes this passage. */
  async open(passage: Passage, host: string, port: number): Promise<string> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => this.carry(socket, passage));
    this.#servers.push(server.unref());
    await new Promise<void>((done, fail) => {
      server.once('error', () => fail(new PortTakenError(`the link from ${passage.from} to ${passage.to}`, port)));
      server.listen(port, host, done);
    });
    return `${host}:${port}`;
  }

  get faults(): LinkFaults {
    return this.#faults;
  }

  /** How many connections pass through it now. */
  get connections(): number {
    return this.#connections.size;
  }

  /** The link has these faults from now on, and no others; connections there are have them too. */
  async set(faults: LinkFaults): Promise<void> {
    checkFaults(faults, this.parties);
    this.#faults = { ...faults };
    this.#way = wayOf(faults, seeded(faults.seed ?? 0).fork(this.parties.join('>')));
    this.#apply();
    if (faults.halfOpen !== undefined) for (const connection of this.#connections) connection.leaveTo(faults.halfOpen);
  }

  /** Connections there are are reset, once. */
  async reset(): Promise<void> {
    for (const connection of this.#connections) connection.reset();
  }

  /** Well again, also where a partition had cut it. What was held on the way arrives. */
  async heal(): Promise<void> {
    this.#cuts.clear();
    await this.set({});
  }

  /** Cut until the same cause is given to `mend`: several partitions may lie across one link. */
  cut(cause: object): void {
    this.#cuts.add(cause);
    this.#apply();
  }

  mend(cause: object): void {
    if (this.#cuts.delete(cause)) this.#apply();
  }

  /** Takes over a connection that one party has opened. The socket is paused. */
  carry(socket: Socket, passage: Passage): void {
    const weather = this.#weather();
    const connection: Connection = new Connection(socket, passage, weather, () => this.#connections.delete(connection));
    this.#connections.add(connection);
    connection.apply(weather);
  }

  /** One datagram of this party. It is lost where nothing arrives, and late by the latency; how much passes is no matter. */
  post(sender: string, deliver: () => void): void {
    const { held, delay } = this.#condition(this.#faults, sender);
    if (held || this.#faults.refuse) return;
    const late = delay?.() ?? 0;
    if (late > 0) setTimeout(deliver, late).unref();
    else deliver();
  }

  /** Whether nothing passes, one way or both. */
  get isShut(): boolean {
    return this.parties.some((party) => this.#condition(this.#faults, party).held) || this.#faults.refuse === true;
  }

  close(): void {
    for (const server of this.#servers) server.close();
    for (const connection of this.#connections) connection.close();
  }

  #apply(): void {
    const weather = this.#weather();
    for (const connection of this.#connections) connection.apply(weather);
  }

  #weather(): Weather {
    const faults = this.#faults;
    return { faults, condition: (sender) => this.#condition(faults, sender) };
  }

  #condition({ blackHole, cut }: LinkFaults, sender: string): Condition {
    return {
      ...this.#way,
      held: this.#cuts.size > 0 || blackHole === true || blackHole === sender,
      ...(cut && (cut.from ?? sender) === sender && { cutAfter: cut.afterBytes }),
    };
  }
}

/** How long bytes take, and how many pass. */
function wayOf({ latencyMs = 0, jitterMs = 0, bytesPerSecond, drip }: LinkFaults, chance: Seeded): Way {
  const narrow = bytesPerSecond && {
    bytes: Math.max(1, Math.round(bytesPerSecond / beatsPerSecond)),
    everyMs: Math.max(1000 / beatsPerSecond, 1000 / bytesPerSecond),
  };
  const pace = drip ?? narrow;
  return {
    ...(latencyMs + jitterMs > 0 && { delay: () => latencyMs + chance.next() * jitterMs }),
    ...(pace && { pace }),
  };
}
