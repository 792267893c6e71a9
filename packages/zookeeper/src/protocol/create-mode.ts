import { InvalidArgumentError } from '@quorate/core';

export type CreateMode =
  | 'persistent'
  | 'persistent-sequential'
  | 'ephemeral'
  | 'ephemeral-sequential'
  /** Removed by the servers some time after its last child is gone. */
  | 'container';

const flags: Readonly<Record<CreateMode, number>> = {
  persistent: 0,
  ephemeral: 1,
  'persistent-sequential': 2,
  'ephemeral-sequential': 3,
  container: 4,
};

/** A node with a time to live has its own two flags. */
const ttlFlags = new Map<CreateMode, number>([
  ['persistent', 5],
  ['persistent-sequential', 6],
]);

const modes = new Map([...Object.entries(flags), ...ttlFlags].map(([mode, flag]) => [flag, mode as CreateMode]));

/** The servers keep the time to live in 40 bits. */
const longestTtl = 2 ** 40 - 1;

export function createFlags(mode: CreateMode, ttl: number | undefined): number {
  if (!Object.hasOwn(flags, mode)) {
    throw new InvalidArgumentError('mode', `one of ${Object.keys(flags).join(', ')}`, mode);
  }
  if (ttl === undefined) return flags[mode];
  if (!(Number.isInteger(ttl) && ttl >= 1 && ttl <= longestTtl)) {
    throw new InvalidArgumentError('ttl', `a whole number of milliseconds from 1 to ${longestTtl}`, ttl);
  }
  const flag = ttlFlags.get(mode);
  if (flag === undefined) throw new InvalidArgumentError('ttl', `mode ${[...ttlFlags.keys()].join(' or ')}`, mode);
  return flag;
}

/** The reverse. A flag of a node with a time to live is that of its mode without one. */
export function modeOf(flag: number): CreateMode {
  return modes.get(flag) ?? 'persistent';
}

export function isSequential(mode: CreateMode): boolean {
  return mode.endsWith('-sequential');
}

export function isEphemeral(mode: CreateMode): boolean {
  return mode.startsWith('ephemeral');
}
