import { checkNames, type Duration, InvalidArgumentError } from '@quorate/core';
import { checkName, checkText } from '../arguments.ts';
import { milliseconds } from '../duration.ts';
import { checkTarget, consulTarget, type Entry, type Target } from './entry.ts';

export interface ResolverOptions {
  /** Instances by an expression of Consul's: `{ v2: 'Service.Meta.version == "2"' }`. */
  readonly subsets?: Readonly<Record<string, string | { readonly filter: string; readonly onlyPassing?: boolean }>>;
  readonly defaultSubset?: string;
  /** Where to go, in this order, when no instance is well: of a subset, or of any with `*`. */
  readonly failover?: Readonly<Record<string, Target | readonly Target[]>>;
  /** Always go elsewhere. */
  readonly redirect?: Target;
  readonly connectTimeout?: Duration;
  readonly requestTimeout?: Duration;
}

/** Which instances a service's name means. */
export function resolver(name: string, options: ResolverOptions): Entry {
  checkName('name', name);
  const known = ['subsets', 'defaultSubset', 'failover', 'redirect', 'connectTimeout', 'requestTimeout'];
  checkNames('options', options, known);
  const { subsets = {}, defaultSubset, failover = {}, redirect, connectTimeout, requestTimeout } = options;
  for (const [subset, which] of Object.entries(subsets)) {
    checkName('subsets', subset);
    checkText(`subsets.${subset}`, typeof which === 'string' ? which : which.filter);
  }
  const isSubset = (argument: string, subset: string): void => {
    if (subset in subsets) return;
    throw new InvalidArgumentError(
      argument,
      `one of the subsets ${Object.keys(subsets).join(', ') || '(there are none)'}`,
      subset,
    );
  };
  if (defaultSubset !== undefined) isSubset('defaultSubset', defaultSubset);
  for (const [subset, targets] of Object.entries(failover)) {
    if (subset !== '*') isSubset('failover', subset);
    const list = [targets].flat();
    if (list.length === 0) throw new InvalidArgumentError(`failover.${subset}`, 'at least one target');
    list.forEach((target, index) => {
      checkTarget(`failover.${subset}[${index}]`, target);
      // Of another service, its own resolver knows the subsets.
      if (target.subset !== undefined && target.service === undefined) isSubset(`failover.${subset}`, target.subset);
    });
  }
  if (redirect !== undefined) {
    checkTarget('redirect', redirect);
    if (Object.keys(subsets).length > 0 || Object.keys(failover).length > 0) {
      throw new InvalidArgumentError('redirect', 'no subsets and no failover beside it');
    }
  }
  return {
    kind: 'service-resolver',
    name,
    settings: {
      ...(defaultSubset !== undefined && { DefaultSubset: defaultSubset }),
      Subsets: mapped(subsets, (which) => {
        const { filter, onlyPassing = false } = typeof which === 'string' ? { filter: which } : which;
        return { Filter: filter, OnlyPassing: onlyPassing };
      }),
      Failover: mapped(failover, (targets) => ({ Targets: [targets].flat().map(consulTarget) })),
      ...(redirect && { Redirect: consulTarget(redirect) }),
      ...(connectTimeout !== undefined && { ConnectTimeout: `${milliseconds('connectTimeout', connectTimeout)}ms` }),
      ...(requestTimeout !== undefined && { RequestTimeout: `${milliseconds('requestTimeout', requestTimeout)}ms` }),
    },
  };
}

function mapped<T>(record: Readonly<Record<string, T>>, map: (value: T) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
