import { InvalidArgumentError } from '@quorate/core';

/** How many ports, or a name for each, or a number for each name: 0 is a free one. */
export type PortsOption = number | readonly string[] | Readonly<Record<string, number>>;

/** The ports by name; as a list where only their number was given. */
export type PortsOf<P extends PortsOption> = P extends readonly (infer Name extends string)[]
  ? { readonly [N in Name]: number }
  : P extends number
    ? readonly number[]
    : { readonly [N in keyof P]: number };

/** What one of the ports is called: its name, or its index in the list. */
export type PortName<P extends PortsOption> = P extends readonly (infer Name extends string)[]
  ? Name
  : P extends number
    ? number
    : keyof P & string;

/** A port that a server is to have. */
export interface WantedPort {
  readonly name: string;
  /** 0 for a free one. */
  readonly port: number;
}

const expected =
  'a number of ports up to 100, a list of different names, or names with different ports (0 for a free one)';

export function parsePorts(ports: unknown): readonly WantedPort[] {
  const wanted = written(ports);
  const valid =
    wanted !== undefined &&
    wanted.length <= 100 &&
    wanted.every(({ name, port }) => name !== '' && Number.isInteger(port) && port >= 0 && port <= 65_535) &&
    areDifferent(wanted.map(({ name }) => name)) &&
    areDifferent(wanted.map(({ port }) => port).filter((port) => port !== 0));
  if (!valid) throw new InvalidArgumentError('ports', expected, ports);
  return wanted;
}

function areDifferent(values: readonly unknown[]): boolean {
  return new Set(values).size === values.length;
}

function written(ports: unknown): WantedPort[] | undefined {
  if (typeof ports === 'number') {
    if (!(Number.isInteger(ports) && ports >= 0 && ports <= 100)) return undefined;
    return Array.from({ length: ports }, (_, index) => ({ name: String(index), port: 0 }));
  }
  if (Array.isArray(ports)) {
    return ports.every((name) => typeof name === 'string') ? ports.map((name) => ({ name, port: 0 })) : undefined;
  }
  if (typeof ports !== 'object' || ports === null) return undefined;
  return Object.entries(ports).map(([name, port]) => ({ name, port: port as number }));
}
