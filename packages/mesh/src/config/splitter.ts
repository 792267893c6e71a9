import { checkNames, InvalidArgumentError } from '@quorate/core';
import { checkName, checkNumber } from '../arguments.ts';
import { consulTarget, type Entry } from './entry.ts';

export interface Split {
  /** Percent, in steps of 0.01. */
  readonly weight: number;
  readonly service?: string;
  readonly subset?: string;
}

/** Shares of a service's requests: by subset, `{ v1: 90, v2: 10 }`, or written out. They add up to 100. */
export function splitter(name: string, shares: Readonly<Record<string, number>> | readonly Split[]): Entry {
  checkName('name', name);
  const splits = Array.isArray(shares)
    ? (shares as readonly Split[])
    : Object.entries(shares).map(([subset, weight]): Split => ({ subset, weight }));
  splits.forEach((split, index) => {
    const argument = `splits[${index}]`;
    checkNames(argument, split, ['weight', 'service', 'subset']);
    checkNumber(`${argument}.weight`, split.weight, 0, 100);
    if (split.service !== undefined) checkName(`${argument}.service`, split.service);
    if (split.subset !== undefined) checkName(`${argument}.subset`, split.subset);
  });
  const sum = splits.reduce((total, { weight }) => total + Math.round(weight * 100), 0);
  if (sum !== 10_000) throw new InvalidArgumentError('splits', 'weights that add up to 100', sum / 100);
  return {
    kind: 'service-splitter',
    name,
    settings: { Splits: splits.map(({ weight, ...target }) => ({ Weight: weight, ...consulTarget(target) })) },
  };
}
