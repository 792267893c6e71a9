import type { Acl, CallOptions, ReadOptions, Stat, Transaction, ZooKeeper } from '@quorate/zookeeper';
import { AgreedNumber } from '../agreed-number.ts';
import { WrongKindError } from '../errors/wrong-kind-error.ts';
import { markOf, otherKind } from '../used-for.ts';
import { unlessMissing } from '../waiting/unless-missing.ts';
import { unlessOvertaken } from '../waiting/unless-overtaken.ts';
import { type Round, readRound, roundData } from './round.ts';

const kind = 'double-barrier';
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

interface GatheringOptions {
  readonly size: number;
  readonly acl: readonly Acl[] | undefined;
}

/** The barrier's node, as it was when its size was last known. */
interface Known {
  readonly stat: Pick<Stat, 'czxid' | 'mzxid' | 'version'>;
  readonly data: Buffer;
}

/** The nodes of a double barrier, as Curator lays them out: a child for each member, and `ready` while it is open. */
export class Gathering {
  readonly readyPath: string;
  readonly #zk: ZooKeeper;
  readonly #path: string;
  readonly #acl: readonly Acl[] | undefined;
  readonly #agreed: AgreedNumber;
  #known: Known | undefined;

  constructor(zk: ZooKeeper, path: string, { size, acl }: GatheringOptions) {
    this.#zk = zk;
    this.#acl = acl;
    this.#path = path;
    this.readyPath = `${path}/${readyName}`;
    this.#agreed = new AgreedNumber(zk, path, {
      kind,
      what: 'participants',
      acl,
      number: size,
      checkChildren: (names) => void this.#membersIn(names),
    });
  }

  /** How many must have come. */
  get size(): number {
    return this.#agreed.number;
  }

  /** Before anything is touched: rejects when another size is stored. */
  async agree({ signal }: CallOptions): Promise<void> {
    if (!this.#known) await this.#know(signal);
  }

  /**
   * Changes the size for everybody, and lets those in who are enough now, both at once: whoever does it may die. Those who
   * come meanwhile hear of the change.
   */
  async resize(size: number, { signal }: CallOptions): Promise<void> {
    await this.#know(signal);
    let members: readonly string[] = [];
    await this.#agreed.change(
      size,
      { signal },
      {
        prepare: async () => {
          const present = await this.present({ signal });
          members = present.round ? [] : present.members;
        },
        add: (transaction) => {
          if (members.length < size) return;
          // Once more, so that nobody takes it for an opening alone, which changes the version by one and no size.
          transaction.set(this.#path, markOf(kind, size));
          this.#addOpening(transaction, members);
        },
      },
    );
  }

  pathOf(member: string): string {
    return `${this.#path}/${member}`;
  }

  /** Resolves with the path of a new member. When the wait is aborted, there is none. */
  async join({ signal }: CallOptions): Promise<string> {
    const options = { mode: 'ephemeral', protected: true, acl: this.#acl, parents: true, signal } as const;
    return (await this.#zk.create(`${this.#path}/member`, '', options)).path;
  }

  /**
   * Who is there while no round is open; undefined when one is, or when something has changed during this look. The watch tells
   * when a round is opened, and when the size is changed, after it. An opening of ours fires it twice.
   */
  async waiting(watched: ReadOptions): Promise<Present | undefined> {
    // Answers come in the order of the questions: who is listed after an opening sees it.
    const listed = unlessMissing(this.#zk.children(this.#path, { signal: watched.signal }));
    const node = this.#zk.exists(this.#path, watched);
    const ready = this.#zk.exists(this.readyPath, watched);
    const [children, stat, opened] = await Promise.all([listed, node, ready]);
    if (opened || stat?.version !== children?.stat.version) return undefined;
    return await this.#seen(children, undefined, watched.signal);
  }

  async present({ signal }: CallOptions): Promise<Present> {
    // Answers come in the order of the questions.
    const listed = unlessMissing(this.#zk.children(this.#path, { signal }));
    const ready = unlessMissing(this.#zk.get(this.readyPath, { signal }));
    const [children, found] = await Promise.all([listed, ready]);
    return await this.#seen(children, found && readRound(found), signal);
  }

  /**
   * Opens a round of these members, all of whom are there at that moment, or does nothing: when one is gone, or another
   * round has been opened since they were listed. Whether it was opened must be read: it may have been by somebody else.
   */
  async open({ members, version }: Present, { signal }: CallOptions): Promise<void> {
    // Its data stay as they are, whoever has written them.
    const transaction = this.#zk.transaction().set(this.#path, this.#known?.data ?? '', { version });
    this.#addOpening(transaction, members);
    await unlessOvertaken(transaction.commit({ signal }));
  }

  /** Ends the round that is open, with its last member if one is given, unless another has been opened since. */
  async close({ version }: Present, last: string | undefined): Promise<void> {
    const transaction = this.#zk.transaction().check(this.#path, version);
    if (last !== undefined) transaction.delete(last);
    await unlessOvertaken(transaction.delete(this.readyPath).commit());
  }

  #addOpening(transaction: Transaction, members: readonly string[]): void {
    for (const member of members) transaction.check(this.pathOf(member));
    transaction.create(this.readyPath, roundData(members), { acl: this.#acl });
  }

  async #seen(
    children: { readonly names: readonly string[]; readonly stat: Stat } | undefined,
    round: Round | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Present> {
    const members = this.#membersIn(children?.names ?? []);
    if (children) await this.#keepUp(children.stat, round, signal);
    return { members, round, version: children?.stat.version ?? 0 };
  }

  #membersIn(names: readonly string[]): string[] {
    const members = names.filter((name) => name !== readyName);
    const stranger = members.find((name) => !memberName.test(name));
    if (stranger !== undefined) throw this.#wrongKind(`the child ${JSON.stringify(stranger)}`);
    return members;
  }

  /** Sees to it that the size is known as of this state of the node, or a later one. */
  async #keepUp(stat: Stat, round: Round | undefined, signal: AbortSignal | undefined): Promise<void> {
    const known = this.#known;
    if (known && stat.mzxid <= known.stat.mzxid) return;
    // Nothing but an opening of ours has written the node since, and that leaves the size as it was.
    const { czxid, version } = known?.stat ?? {};
    const isOpening = stat.mzxid === round?.id && stat.czxid === czxid && stat.version === (version ?? 0) + 1;
    if (known && isOpening) this.#known = { ...known, stat };
    else await this.#know(signal);
  }

  async #know(signal: AbortSignal | undefined): Promise<void> {
    const { data, stat } = await this.#agreed.agree({ signal });
    const other = otherKind(kind, data);
    if (other) throw this.#wrongKind(other);
    this.#known = { data, stat };
  }

  #wrongKind(found: string): WrongKindError {
    return new WrongKindError(this.#path, 'a double barrier', found);
  }
}
