import { InvalidArgumentError } from '@quorate/core';
import type { Ports } from '../processes/ports.ts';
import { Gateway, type Route } from './gateway.ts';
import { Link } from './link.ts';
import { Partition } from './partition.ts';

/** A server among others that reaches them through links. */
export interface Neighbour {
  readonly name: string;
  /** Where the others reach it. */
  readonly ports: readonly number[];
}

const nameExpected = 'a name: letters, digits, dots, hyphens and underscores';

/** Every link of a bed. */
export class Links {
  readonly #ports: Ports;
  readonly #links = new Map<string, Link>();
  readonly #gateways: Gateway[] = [];
  readonly #servers = new Map<string, string>();

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** What servers there are, with their addresses: whoever else is named is a client. */
  know(servers: Iterable<{ readonly name: string; readonly address: string }>): void {
    for (const { name, address } of servers) this.#servers.set(name, address);
  }

  /** Puts a link between each two of them, and gives for each the port of its gateway. */
  async connect(neighbours: readonly Neighbour[]): Promise<number[]> {
    const gateways: number[] = [];
    for (const { name } of neighbours) {
      const routes = new Map<number, Route>();
      for (const other of neighbours) {
        if (other.name === name) continue;
        const link = this.#links.get(keyOf(name, other.name)) ?? new Link([name, other.name], this.#ports);
        this.#links.set(keyOf(name, other.name), link);
        for (const port of other.ports) routes.set(port, { to: other.name, link });
      }
      const { gateway, port } = await Gateway.open(this.#ports, name, routes);
      this.#gateways.push(gateway);
      gateways.push(port);
    }
    return gateways;
  }

  link(a: string, b: string): Link {
    for (const name of [a, b]) {
      if (typeof name !== 'string' || !/^[\w.-]+$/.test(name))
        throw new InvalidArgumentError('link', nameExpected, name);
    }
    const there = this.#links.get(keyOf(a, b));
    if (there) return there;
    const address = this.#servers.get(b);
    if (address === undefined || this.#servers.has(a) || a === b) {
      throw new InvalidArgumentError(
        'link',
        `a client's name and one of ${[...this.#servers.keys()].join(', ')}, or two members of a ZooKeeper ensemble`,
        [a, b],
      );
    }
    const link = new Link([a, b], this.#ports, Number(address.split(':')[1]));
    this.#links.set(keyOf(a, b), link);
    return link;
  }

  /** Cuts every link between the two sides. Two clients have none. */
  partition(left: readonly string[], right: readonly string[]): Partition {
    for (const [name, side] of Object.entries({ left, right })) {
      if (!Array.isArray(side) || side.length === 0) throw new InvalidArgumentError(name, 'at least one name', side);
    }
    const both = left.find((name) => right.includes(name));
    if (both !== undefined) throw new InvalidArgumentError('right', 'names that are not on the left too', both);
    const across = left
      .flatMap((a) => right.map((b): [string, string] => (this.#servers.has(b) ? [a, b] : [b, a])))
      .filter(([, server]) => this.#servers.has(server))
      .map(([a, b]) => this.link(a, b));
    if (across.length === 0)
      throw new InvalidArgumentError('partition', 'a server on at least one side', [left, right]);
    return new Partition(left, right, across);
  }

  async heal(): Promise<void> {
    for (const link of this.#links.values()) await link.heal();
  }

  close(): void {
    for (const gateway of this.#gateways) gateway.close();
    for (const link of this.#links.values()) link.close();
  }
}

function keyOf(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
