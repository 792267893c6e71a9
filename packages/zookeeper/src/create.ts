import { randomUUID } from 'node:crypto';
import { type AmbiguousError, checkNames, doubtful, InvalidArgumentError, isQuorateError } from '@quorate/core';
import { checkData } from './arguments.ts';
import type { SessionLostError } from './errors/session-lost-error.ts';
import { checkPath, childOf, lastSegment, parentOf } from './path.ts';
import { type Acl, checkAcl } from './protocol/acl.ts';
import { createFlags, isEphemeral, isSequential } from './protocol/create-mode.ts';
import { childrenOperation, existsOperation, syncOperation } from './protocol/reads.ts';
import { type CreateArguments, type Created, createOperation, deleteOperation } from './protocol/writes.ts';
import type { SessionLike } from './session/session-like.ts';
import type { CreateOptions } from './zookeeper.ts';

/** A create, checked. Paths are the server's, except for what errors say. */
interface Creation {
  readonly create: CreateArguments;
  readonly clientPath: string;
  readonly parents: boolean;
  /** The unique mark in the name. */
  readonly mark: string | undefined;
  /** Whether only its creator knows to care for the node: nobody is left to, when the creator has stopped waiting. */
  readonly private: boolean;
  readonly signal: AbortSignal | undefined;
}

const names = ['mode', 'acl', 'ttl', 'parents', 'protected', 'signal'];

export function checkCreate(
  path: string,
  data: Uint8Array | string,
  options: CreateOptions & { readonly acl: readonly Acl[] },
  toServer: (path: string) => string,
): Creation {
  checkNames('options', options, names);
  const { mode = 'persistent', acl, ttl, parents = false, signal } = options;
  const flags = createFlags(mode, ttl);
  // Nothing but a mark can tell our sequential node from another's once its reply is lost.
  const { protected: marked = isSequential(mode) } = options;
  // A sequential name may end with a slash: it then is the number alone.
  checkPath(isSequential(mode) ? `${path}0` : path);
  checkAcl(acl);
  if (typeof parents !== 'boolean') throw new InvalidArgumentError('parents', 'true or false', parents);
  if (typeof marked !== 'boolean') throw new InvalidArgumentError('protected', 'true or false', marked);
  const mark = marked ? `_c_${randomUUID()}-` : undefined;
  const name = mark === undefined ? path : childOf(parentOf(path), mark + lastSegment(path));
  const create = { path: toServer(name), data: checkData(data), acl, flags, ttl };
  const isPrivate = marked || isEphemeral(mode) || isSequential(mode);
  return { create, clientPath: name, parents, mark, private: isPrivate, signal };
}

export async function create(session: SessionLike, creation: Creation): Promise<Created> {
  const { clientPath, mark, signal } = creation;
  const operation = createOperation(creation.create, clientPath);
  const options = creation.private
    ? { signal, orphaned: (done: Created | AmbiguousError) => undo(session, creation, done) }
    : { signal };
  /** Whether an attempt may have created the node, for all that is known: another client may have deleted it since. */
  let sent = false;
  const made: string[] = [];
  try {
    for (;;) {
      try {
        return await session.request(operation, options);
      } catch (error) {
        if (creation.parents && isQuorateError(error, 'no-node')) await createParents(session, creation, made);
        else if (mark !== undefined && isQuorateError(error, 'ambiguous')) {
          sent = true;
          const found = await findOrKeepDoubt(session, creation, mark, error as AmbiguousError);
          if (found) return found;
        } else throw error;
      }
    }
  } catch (error) {
    // Creating the parents twice does no harm.
    throw sent || made.length > 0 ? doubtful(error, { idempotent: !sent }) : error;
  }
}

/**
 * What is missing above the node, from the top down. Somebody else may be doing the same: then it is done. `made` gets the
 * path of each that was made, or may have been.
 */
async function createParents(
  session: SessionLike,
  { create: { path, acl }, signal }: Creation,
  made: string[],
): Promise<void> {
  const missing: string[] = [];
  for (let parent = parentOf(path); parent !== '/'; parent = parentOf(parent)) {
    try {
      await session.request(existsOperation(parent, false, parent), { signal });
      break;
    } catch (error) {
      if (!isQuorateError(error, 'no-node')) throw error;
      missing.push(parent);
    }
  }
  for (const parent of missing.reverse()) {
    const operation = createOperation({ path: parent, data: Buffer.alloc(0), acl, flags: 0, ttl: undefined }, parent);
    try {
      await session.request(operation, { signal });
      made.push(parent);
    } catch (error) {
      if (isQuorateError(error, 'node-exists')) continue;
      if (!isQuorateError(error, 'ambiguous')) throw error;
      // Whether it is there, and what else is missing, the next create of the node tells.
      made.push(parent);
      return;
    }
  }
}

/** The node with the mark, if there is one. When that cannot be learnt, the doubt about its creation remains. */
async function findOrKeepDoubt(
  session: SessionLike,
  creation: Creation,
  mark: string,
  doubt: AmbiguousError,
): Promise<Created | undefined> {
  const { create, signal } = creation;
  try {
    return await find(session, create.path, mark, signal);
  } catch (error) {
    if (signal?.aborted) {
      // Nobody waits for it any more, and nobody else would care for it.
      undo(session, creation, doubt);
      throw signal.reason;
    }
    // An ephemeral node goes with its session: nobody need look for it.
    throw isQuorateError(error, 'session-lost') && (create.flags & 1) === 1 ? (error as SessionLostError) : doubt;
  }
}

async function find(
  session: SessionLike,
  path: string,
  mark: string,
  signal?: AbortSignal | undefined,
): Promise<Created | undefined> {
  const parent = parentOf(path);
  try {
    // The member we have come to may not have heard yet of what the one before has done for us.
    const synced = session.request(syncOperation(parent, parent), { signal });
    const [, { names }] = await Promise.all([
      synced,
      session.request(childrenOperation(parent, false, parent), { signal }),
    ]);
    const name = names.find((each) => each.startsWith(mark));
    if (name === undefined) return undefined;
    const found = childOf(parent, name);
    return { path: found, stat: await session.request(existsOperation(found, false, found), { signal }) };
  } catch (error) {
    if (isQuorateError(error, 'no-node')) return undefined;
    throw error;
  }
}

/** Deletes what was created for somebody who has stopped waiting for it. */
function undo(session: SessionLike, { create: { path }, mark }: Creation, done: Created | AmbiguousError): void {
  const created = 'stat' in done ? Promise.resolve(done) : mark === undefined ? undefined : find(session, path, mark);
  created
    ?.then((found) => found && remove(session, found.path))
    // With the session over, nothing can be done, and an ephemeral node needs nothing to be done.
    .catch(() => undefined);
}

/** Until the server says that it is gone: after a lost reply it may still be there. */
async function remove(session: SessionLike, path: string): Promise<void> {
  for (;;) {
    try {
      await session.request(deleteOperation(path, -1, path));
      return;
    } catch (error) {
      if (!isQuorateError(error, 'ambiguous')) throw error;
    }
  }
}
