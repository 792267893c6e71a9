import { BlockList, isIP } from 'node:net';
import type { Acl, Permission } from '@quorate/zookeeper';
import { Refused } from './refused.ts';

/** Where the servers would see every session of this process come from; it has no other identity. */
export const address = '127.0.0.1';

/** An ACL as the servers keep it: each entry once. Refused when it names what they do not know. */
export function accepted(acl: readonly Acl[]): readonly Acl[] {
  for (const { scheme, id } of acl) {
    const known =
      (scheme === 'world' && id === 'anyone') ||
      (scheme === 'digest' && id.split(':').length === 2) ||
      (scheme === 'ip' && subnet(id) !== undefined);
    if (!known) throw new Refused('invalidAcl');
  }
  const once = new Map(acl.map((entry) => [JSON.stringify(entry), entry]));
  return [...once.values()];
}

/** Refuses what the ACL does not allow: it takes one of these permissions. */
export function demand(acl: readonly Acl[], ...wanted: readonly Permission[]): void {
  if (!allows(acl, wanted)) throw new Refused('noAuth');
}

export function allows(acl: readonly Acl[], wanted: readonly Permission[]): boolean {
  return acl.some(
    (entry) =>
      (entry.permissions === 'all' || entry.permissions.some((each) => wanted.includes(each))) && isAboutUs(entry),
  );
}

function isAboutUs({ scheme, id }: Acl): boolean {
  return scheme === 'world' || (scheme === 'ip' && subnet(id)?.check(address) === true);
}

function subnet(id: string): BlockList | undefined {
  const [net = '', bits = '32', ...more] = id.split('/');
  if (isIP(net) !== 4 || !/^\d+$/.test(bits) || Number(bits) > 32 || more.length > 0) return undefined;
  const list = new BlockList();
  list.addSubnet(net, Number(bits));
  return list;
}
