import { isQuorateError } from '@quorate/core';
import type { Acl, CallOptions, ZooKeeper } from '@quorate/zookeeper';
import { WrongKindError } from '../errors/wrong-kind-error.ts';
import { markOf, otherKind } from '../used-for.ts';
import { type Round, readRound, roundData } from './round.ts';

const readyName = 'ready';
// Ours are `_c_<uuid>-member`, Curator's a plain UUID, and kazoo's one without hyphens.
const memberName = /^(?:_c_[0-9a-f-]{36}-member|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32})$/;

/** Who is there, at one moment. */
export interface Present {
  readonly members: readonly string[];
  /** The round that is open, when one is: read after the members. */
  readonly round: Round | undefined;
  /** Of the barrier's node: each opening changes it. */
  readonly version: number;
}

/** The nodes of a double barrier, as Curator lays them out: a child for each member, and `ready` while it is open. */
export class Gathering {
  readonly readyPath: string;
  readonly #zk: ZooKeeper;
  readonly #path: string;
  readonly #acl: readonly Acl[] | undefined;
  #isOurKind = false;

  constructor(zk: ZooKeeper, path: string, acl: readonly Acl[] | undefined) {
    this.#zk = zk;
    this.#acl = acl;
    this.#path = path;
    this.readyPath = `${path}/${readyName}`;
  }

  pathOf(member: string): string {
    return `${this.#path}/${member}`;
  }

  /** Resolves with the path of a new member. When the wait is aborted, there is none. */
  async join({ signal }: CallOptions): Promise<string> {
    const options = { mode: 'ephemeral', protected: true, acl: this.#acl, parents: true, signal } as const;
    return (await this.#zk.create(`${this.#path}/member`, '', options)).path;
  }

  async present({ signal }: CallOptions): Promise<Present> {
    const checked = this.#isOurKind ? undefined : this.#checkKind(signal);
    // Answers come in the order of the questions.
    const listed = unlessMissing(this.#zk.children(this.#path, { signal }));
    const ready = unlessMissing(this.#zk.get(this.readyPath, { signal }));
    const [children, found] = await Promise.all([listed, ready, checked]);
    const members = children?.names.filter((name) => name !== readyName) ?? [];
    const stranger = members.find((name) => !memberName.test(name));
    if (stranger !== undefined) throw this.#wrongKind(`the child ${JSON.stringify(stranger)}`);
    return { members, round: found && readRound(found), version: children?.stat.version ?? 0 };
  }

  /**
   * Opens a round of these members, all of whom are there at that moment, or does nothing: when one is gone, or another
   * round has been opened since they were listed. Whether it was opened must be read: it may have been by somebody else.
   */
  async open({ members, version }: Present, { signal }: CallOptions): Promise<void> {
    const transaction = this.#zk.transaction();
    for (const member of members) transaction.check(this.pathOf(member));
    transaction
      .set(this.#path, markOf('double-barrier'), { version })
      .create(this.readyPath, roundData(members), { acl: this.#acl });
    await unlessOvertaken(transaction.commit({ signal }));
  }

  /** Ends the round that is open, with its last member if one is given, unless another has been opened since. */
  async close({ version }: Present, last: string | undefined): Promise<void> {
    const transaction = this.#zk.transaction().check(this.#path, version);
    if (last !== undefined) transaction.delete(last);
    await unlessOvertaken(transaction.delete(this.readyPath).commit());
  }

  async #checkKind(signal: AbortSignal | undefined): Promise<void> {
    const found = await unlessMissing(this.#zk.get(this.#path, { signal }));
    const other = found && otherKind('double-barrier', found.data);
    if (other) throw this.#wrongKind(other);
    this.#isOurKind = true;
  }

  #wrongKind(found: string): WrongKindError {
    return new WrongKindError(this.#path, 'a double barrier', found);
  }
}

/** Somebody was faster, or the reply is lost: in both cases, what is there now must be read. */
async function unlessOvertaken(committed: Promise<unknown>): Promise<void> {
  try {
    await committed;
  } catch (error) {
    const overtaken = ['no-node', 'node-exists', 'bad-version', 'ambiguous'].some((code) =>
      isQuorateError(error, code),
    );
    if (!overtaken) throw error;
  }
}

async function unlessMissing<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isQuorateError(error, 'no-node')) return undefined;
    throw error;
  }
}
