import { InvalidArgumentError } from '@quorate/core';
import type { NodeData } from './protocol/reads.ts';
import type { Reconfiguration } from './protocol/writes.ts';
import type { Config, ConfigChange } from './zookeeper.ts';

/** Where the servers keep the configuration of the ensemble, outside of any chroot. */
export const configPath = '/zookeeper/config';

/** What the protocol takes for any version of the configuration. */
const anyConfig = -1n;

export function parseConfig({ data, stat }: NodeData): Config {
  const lines = data
    .toString()
    .split('\n')
    .filter((line) => line !== '');
  const version = lines.find((line) => line.startsWith('version='))?.slice('version='.length);
  return {
    members: lines.filter((line) => line.startsWith('server.')),
    version: version === undefined ? anyConfig : BigInt(`0x${version}`),
    stat,
  };
}

export function checkConfigChange(change: ConfigChange): Reconfiguration {
  if (typeof change !== 'object' || change === null) throw new InvalidArgumentError('change', 'an object', change);
  const { joining = [], leaving = [], members = [], fromVersion = anyConfig } = change;
  for (const [name, list] of Object.entries({ joining, leaving, members })) {
    if (!Array.isArray(list)) throw new InvalidArgumentError(name, 'a list', list);
  }
  if (members.length > 0 && joining.length + leaving.length > 0) {
    throw new InvalidArgumentError('members', 'all members alone, or joining and leaving', members);
  }
  if (members.length + joining.length + leaving.length === 0) {
    throw new InvalidArgumentError('change', 'members, or joining and leaving', change);
  }
  if (typeof fromVersion !== 'bigint') throw new InvalidArgumentError('fromVersion', 'a bigint', fromVersion);
  const joined = (list: readonly (string | number)[]): string | undefined => list.join(',') || undefined;
  return { joining: joined(joining), leaving: joined(leaving), members: joined(members), fromConfig: fromVersion };
}
