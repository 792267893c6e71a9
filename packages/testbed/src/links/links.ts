import { InvalidArgumentError } from '@quorate/core';
import type { Ports } from '../processes/ports.ts';
import { Gateway, type Route } from './gateway.ts';
import { Link } from './link.ts';
import { Partition } from './partition.ts';
import { type Host, Reception } from './reception.ts';

/** A server among others that reaches them through links. */
export interface Neighbour {
  readonly name: string;
  /** Where the others reach it. */
  readonly ports: readonly number[];
}

/** Every link of a bed. */
export class Links {
  readonly #ports: Ports;
  readonly #links = new Map<string, Link>();
  readonly #gateways: Gateway[] = [];
  readonly #receptions: Reception[] = [];
  readonly #servers = new Map<string, number>();
  readonly #own = new Set<string>();
  readonly #introduced = new Map<string, number>();

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /**
   * What servers there are, with their addresses: whoever else is named is a client. Between the caller's own servers and
   * all others there may be a link, for they connect where the caller tells them to.
   */
  know(servers: Iterable<{ readonly name: string; readonly address: string }>, own?: 'own'): void {
    for (const { name, address } of servers) {
      if (own) this.#own.add(name);
      if (address !== '') this.#servers.set(name, Number(address.split(':')[1]));
    }
  }

  /** The names that are taken by somebody who listens. */
  get names(): string[] {
    return [...this.#servers.keys(), ...this.#introduced.keys()];
  }

  /** Somebody else who listens on loopback. `taken` are the names of servers that are not known yet. */
  introduce(name: string, port: number, taken: readonly string[] = []): void {
    checkName('name', name);
    if (this.#servers.has(name) || this.#own.has(name) || taken.includes(name))
      throw new InvalidArgumentError('name', 'a name that no server of the bed has', name);
    if (!(Number.isInteger(port) && port >= 1 && port <= 65_535))
      throw new InvalidArgumentError('port', 'a port from 1 to 65535', port);
    this.#introduced.set(name, port);
  }

  /** Puts a link between each two of them, and gives for each the port of its gateway. */
  async connect(neighbours: readonly Neighbour[]): Promise<number[]> {
    const gateways: number[] = [];
    for (const { name } of neighbours) {
      const routes = new Map<number, Route>();
      for (const other of neighbours) {
        if (other.name === name) continue;
        const link = this.#between(name, other.name);
        for (const port of other.ports) routes.set(port, { to: other.name, link });
      }
      const { gateway, port } = await Gateway.open(this.#ports, name, routes);
      this.#gateways.push(gateway);
      gateways.push(port);
    }
    return gateways;
  }

  /**
   * Puts a link between each two of them, for servers that find each other by name: gives for each a table in which the
   * others are at addresses of loopback that lead there by the link. Linux answers at all of 127.0.0.0/8; others do not.
   */
  async hosts(neighbours: readonly Neighbour[]): Promise<ReadonlyMap<string, string>[]> {
    const tables = neighbours.map(({ name }) => new Map([[name, '127.0.0.1']]));
    for (const [own, { name }] of neighbours.entries()) {
      for (const [index, other] of neighbours.entries()) {
        if (other.name === name) continue;
        const host = `127.0.${own + 1}.${index + 1}`;
        const link = this.#between(name, other.name);
        for (const port of other.ports) await link.open({ from: name, to: other.name, port }, host, port);
        tables[own]?.set(other.name, host);
      }
    }
    return tables;
  }

  /** Puts a link between each two of them, for servers that are known to one another by one address each. Linux only, as `hosts`. */
  async receive(hosts: readonly Host[]): Promise<void> {
    for (const host of hosts) {
      const others = hosts.filter((other) => other !== host);
      const callers = others.map(({ name, bound }) => ({ name, from: bound, link: this.#between(host.name, name) }));
      this.#receptions.push(await Reception.open(host, callers));
    }
  }

  /** Puts a link between two servers, one of which connects to a port of the other, and gives the address for it. */
  async lead(from: string, to: string, port: number): Promise<string> {
    return this.#between(from, to).addressOf(to, port);
  }

  /** Puts a link between a client and a server that tells each client its address, and gives the one to tell this client. */
  async advertise(client: string, server: string, port: number): Promise<string> {
    const link = new Link([client, server], this.#ports, (party) => (party === server ? port : this.#portOf(party)));
    this.#links.set(keyOf(client, server), link);
    return link.address;
  }

  link(a: string, b: string): Link {
    for (const name of [a, b]) checkName('link', name);
    const there = this.#links.get(keyOf(a, b));
    if (there) return there;
    const port = this.#portOf(b);
    const fixed = [a, b].every((name) => this.#servers.has(name) && !this.#own.has(name));
    if (port === undefined || a === b || fixed) {
      const known = this.names.join(', ');
      throw new InvalidArgumentError('link', `a client's name and one of ${known}, or ${this.#linked()}`, [a, b]);
    }
    const link = new Link([a, b], this.#ports, (party) => this.#portOf(party));
    this.#links.set(keyOf(a, b), link);
    return link;
  }

  /** The servers that a server reaches through links. */
  neighboursOf(name: string): string[] {
    const pairs = [...this.#links.values()].map(({ parties }) => parties).filter((parties) => parties.includes(name));
    return pairs.flat().filter((other) => other !== name && this.#servers.has(other));
  }

  /** Cuts every link between the two sides. Two clients have none. */
  partition(left: readonly string[], right: readonly string[]): Partition {
    for (const [name, side] of Object.entries({ left, right })) {
      if (!Array.isArray(side) || side.length === 0) throw new InvalidArgumentError(name, 'at least one name', side);
    }
    const both = left.find((name) => right.includes(name));
    if (both !== undefined) throw new InvalidArgumentError('right', 'names that are not on the left too', both);
    const across = left
      .flatMap((a) => right.map((b): [string, string] => (this.#portOf(b) === undefined ? [b, a] : [a, b])))
      .filter(([, server]) => this.#portOf(server) !== undefined)
      .map(([a, b]) => this.link(a, b));
    if (across.length === 0)
      throw new InvalidArgumentError('partition', 'a server on at least one side', [left, right]);
    return new Partition(left, right, across);
  }

  async heal(): Promise<void> {
    for (const link of this.#links.values()) await link.heal();
  }

  close(): void {
    for (const way of [...this.#gateways, ...this.#receptions]) way.close();
    for (const link of this.#links.values()) link.close();
  }

  #between(a: string, b: string): Link {
    const link = this.#links.get(keyOf(a, b)) ?? new Link([a, b], this.#ports);
    this.#links.set(keyOf(a, b), link);
    return link;
  }

  #portOf(name: string): number | undefined {
    return this.#servers.get(name) ?? this.#introduced.get(name);
  }

  /** Which servers have a link between them, for an error. */
  #linked(): string {
    const pairs = [...this.#links.values()].map(({ parties }) => parties);
    const linked = pairs.filter((parties) => parties.every((party) => this.#servers.has(party)));
    if (linked.length === 0) return 'two servers with a link between them (this bed has none)';
    return `two servers with a link between them: ${linked.map((parties) => parties.join(' and ')).join(', ')}`;
  }
}

function checkName(argument: string, name: unknown): void {
  if (typeof name !== 'string' || !/^[\w.-]+$/.test(name))
    throw new InvalidArgumentError(argument, 'a name: letters, digits, dots, hyphens and underscores', name);
}

function keyOf(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
