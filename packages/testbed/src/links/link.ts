import { createServer, type Server, type Socket } from 'node:net';
import { InvalidArgumentError } from '@quorate/core';
import { type Seeded, seeded } from '../history/seeded.ts';
import { type Ports, PortTakenError } from '../processes/ports.ts';
import { Connection, type Passage, type Weather } from './connection.ts';
import type { Condition } from './flow.ts';
import { checkFaults, type LinkFaults, type Parties } from './link-faults.ts';

/** How often in a second a link of little bandwidth lets something pass. */
const beatsPerSecond = 50;

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
  readonly #port: number | undefined;
  readonly #connections = new Set<Connection>();
  readonly #cuts = new Set<object>();
  #faults: LinkFaults = {};
  #chance: Seeded = seeded(0);
  #server: Server | undefined;
  #address: Promise<string> | undefined;

  /** `port` is where the second party listens, when it is a server that the first is to connect to by `address`. */
  constructor(parties: Parties, ports: Ports, port?: number) {
    this.parties = parties;
    this.#ports = ports;
    this.#port = port;
  }

  /** Where the first party connects instead of to the second: `127.0.0.1:14022`. */
  get address(): Promise<string> {
    this.#address ??= this.#listen();
    return this.#address;
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
    this.#chance = seeded(faults.seed ?? 0).fork(this.parties.join('>'));
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

  close(): void {
    this.#server?.close();
    for (const connection of this.#connections) connection.close();
  }

  async #listen(): Promise<string> {
    const [from, to] = this.parties;
    const target = this.#port;
    if (target === undefined) {
      throw new InvalidArgumentError('link', 'one between a client and a server: these two find each other', [
        from,
        to,
      ]);
    }
    const port = await this.#ports.claim();
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) =>
      this.carry(socket, { from, to, port: target }),
    );
    this.#server = server.unref();
    await new Promise<void>((done, fail) => {
      server.once('error', () => fail(new PortTakenError(`the link from ${from} to ${to}`, port)));
      server.listen(port, '127.0.0.1', done);
    });
    return `127.0.0.1:${port}`;
  }

  #apply(): void {
    const weather = this.#weather();
    for (const connection of this.#connections) connection.apply(weather);
  }

  #weather(): Weather {
    const faults = this.#faults;
    return { faults, condition: (sender) => this.#condition(faults, sender) };
  }

  #condition(faults: LinkFaults, sender: string): Condition {
    const { latencyMs = 0, jitterMs = 0, bytesPerSecond, blackHole, cut } = faults;
    const narrow = bytesPerSecond && {
      bytes: Math.max(1, Math.round(bytesPerSecond / beatsPerSecond)),
      everyMs: Math.max(1000 / beatsPerSecond, 1000 / bytesPerSecond),
    };
    const pace = faults.drip ?? narrow;
    return {
      held: this.#cuts.size > 0 || blackHole === true || blackHole === sender,
      ...(latencyMs + jitterMs > 0 && { delay: () => latencyMs + this.#chance.next() * jitterMs }),
      ...(pace && { pace }),
      ...(cut && (cut.from ?? sender) === sender && { cutAfter: cut.afterBytes }),
    };
  }
}
