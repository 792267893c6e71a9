import { InvalidArgumentError } from '@quorate/core';
import type { Reader } from '../jute/reader.ts';
import type { Writer } from '../jute/writer.ts';

export type Permission = 'read' | 'write' | 'create' | 'delete' | 'admin';

/** Who may do what with a node. ZooKeeper does not inherit ACLs: each node has its own. */
export interface Acl {
  readonly permissions: readonly Permission[] | 'all';
  /** `world`, `auth`, `digest`, `ip`, `x509`, `sasl` or one of the server's own. */
  readonly scheme: string;
  /** `anyone` for world, empty for auth, `user:hash` for digest, an address for ip, a distinguished name for x509. */
  readonly id: string;
}

const bits = { read: 1, write: 2, create: 4, delete: 8, admin: 16 } as const;
const everything = 31;
const permissions = Object.keys(bits) as Permission[];

/** Anybody may do anything: ZooKeeper's own default, and ours. */
export const openAcl: readonly Acl[] = [{ permissions: 'all', scheme: 'world', id: 'anyone' }];
/** Anybody may read, nobody may change. */
export const readOnlyAcl: readonly Acl[] = [{ permissions: ['read'], scheme: 'world', id: 'anyone' }];
/** Everything to whoever this session has authenticated as, nothing to others. */
export const creatorAcl: readonly Acl[] = [{ permissions: 'all', scheme: 'auth', id: '' }];

export function checkAcl(acl: unknown): asserts acl is readonly Acl[] {
  if (!Array.isArray(acl) || acl.length === 0)
    throw new InvalidArgumentError('acl', 'a list of at least one entry', acl);
  for (const [index, entry] of acl.entries()) {
    const at = `acl[${index}]`;
    if (typeof entry !== 'object' || entry === null) throw new InvalidArgumentError(at, 'an object', entry);
    const { permissions: allowed, scheme, id } = entry as Partial<Acl>;
    if (typeof scheme !== 'string' || scheme === '') {
      throw new InvalidArgumentError(`${at}.scheme`, 'a scheme such as "world"', scheme);
    }
    // A digest id is a hash, but people put passwords there by mistake: it is never shown.
    if (typeof id !== 'string') throw new InvalidArgumentError(`${at}.id`, 'a string');
    if (allowed === 'all') continue;
    if (!Array.isArray(allowed) || !allowed.every((name) => Object.hasOwn(bits, name))) {
      throw new InvalidArgumentError(`${at}.permissions`, `"all" or a list of ${permissions.join(', ')}`, allowed);
    }
  }
}

export function writeAcl(writer: Writer, { permissions: allowed, scheme, id }: Acl): void {
  let mask = 0;
  if (allowed === 'all') mask = everything;
  else for (const name of allowed) mask |= bits[name];
  writer.int(mask).string(scheme).string(id);
}

export function readAcl(reader: Reader): Acl {
  const mask = reader.int();
  const scheme = reader.string();
  const id = reader.string();
  return { permissions: permissionsOf(mask), scheme, id };
}

export function permissionsOf(mask: number): Acl['permissions'] {
  return (mask & everything) === everything ? 'all' : permissions.filter((name) => mask & bits[name]);
}

/** The least bytes an ACL takes in a frame: an int and two empty strings. */
export const smallestAcl = 12;
