import type { Answer, PlacedWatches, Question, ReadQuestion, WriteQuestion } from '@quorate/zookeeper/in-process';
import { notified } from '@quorate/zookeeper/in-process';
import type { Change } from './change.ts';
import { type Node, statOf } from './node.ts';
import { address, demand } from './permissions.ts';
import { Refused } from './refused.ts';
import { Tree } from './tree.ts';
import { type Watcher, Watches } from './watches.ts';

/** Who asks: the connection that watches belong to, and the session that ephemeral nodes belong to. */
export interface Asker extends Watcher {
  readonly session: bigint;
}

type Write = WriteQuestion | Extract<Question, { kind: 'setAcl' | 'transaction' }>;

/** What the servers of an ensemble are together: one tree, one order of writes, and answers to questions about it. */
export class Ensemble {
  readonly watches: Watches = new Watches();
  readonly #tree: Tree;
  #zxid = 0n;
  #sessions = 0n;

  constructor(maxBytes: number) {
    this.#tree = new Tree(maxBytes);
  }

  /** Begins a session and returns its number. */
  begin(): bigint {
    this.#zxid += 1n;
    this.#sessions += 1n;
    return (1n << 56n) + this.#sessions;
  }

  /** Ends a session: its ephemeral nodes are gone. */
  end(session: bigint): void {
    this.#commit(session, (change) => {
      for (const path of this.#tree.ephemeralsOf(session)) this.#tree.remove(change, path, this.#tree.get(path));
    });
  }

  /** Deletes what servers delete in time: containers whose last child is gone, and nodes whose time to live is over. */
  sweep(): void {
    const now = Date.now();
    for (const path of [...this.#tree.paths]) {
      const node = this.#tree.find(path);
      if (node && isOverdue(node, now)) this.#commit(0n, (change) => this.#tree.remove(change, path, node));
    }
  }

  answer(asker: Asker, question: Question): Answer {
    switch (question.kind) {
      case 'create':
      case 'set':
      case 'delete':
      case 'check':
      case 'setAcl':
      case 'transaction':
        return this.#write(asker, question);
      case 'close':
        this.end(asker.session);
        return { zxid: this.#zxid, value: undefined };
      default:
        try {
          return { zxid: this.#zxid, value: this.#read(asker, question) };
        } catch (error) {
          return { zxid: this.#zxid, refusal: { code: codeOf(error) } };
        }
    }
  }

  #write({ session }: Asker, question: Write): Answer {
    if (question.kind !== 'transaction') return this.#commit(session, (change) => this.#step(change, question));
    let index = 0;
    const answer = this.#commit(session, (change) => {
      const results: unknown[] = [];
      for (const step of question.steps) {
        index = results.length;
        const { kind } = step;
        const result = this.#step(change, step);
        if (kind === 'create') results.push({ kind, ...(result as object) });
        else results.push(kind === 'set' ? { kind, stat: result } : { kind });
      }
      return results;
    });
    return 'refusal' in answer ? { ...answer, refusal: { ...answer.refusal, index } } : answer;
  }

  #step(change: Change, question: Exclude<Write, { kind: 'transaction' }>): unknown {
    switch (question.kind) {
      case 'create':
        return this.#tree.create(change, question);
      case 'set':
        return this.#tree.set(change, question.path, question.data, question.version);
      case 'delete':
        return this.#tree.delete(change, question.path, question.version);
      case 'check':
        return this.#tree.check(question.path, question.version);
      case 'setAcl':
        return this.#tree.setAcl(change, question.path, question.acl, question.version);
    }
  }

  /** All of it or nothing. What is refused takes a number in the order of writes as well. */
  #commit(session: bigint, write: (change: Change) => unknown): Answer {
    this.#zxid += 1n;
    const change: Change = { zxid: this.#zxid, time: BigInt(Date.now()), session, events: [], undo: [] };
    try {
      const value = write(change);
      for (const event of change.events) this.watches.fire(event);
      return { zxid: change.zxid, value };
    } catch (error) {
      for (const undo of change.undo.reverse()) undo();
      return { zxid: change.zxid, refusal: { code: codeOf(error) } };
    }
  }

  #read(asker: Asker, question: Exclude<Question, Write | { kind: 'close' }>): unknown {
    switch (question.kind) {
      case 'get':
      case 'children': {
        const value = this.#readOne(question);
        if (question.watch) this.watches.add(question.kind === 'get' ? 'data' : 'children', question.path, asker);
        return value;
      }
      case 'exists':
        return this.#exists(asker, question.path, question.watch);
      case 'acl': {
        const node = this.#tree.get(question.path);
        demand(node.acl, 'read', 'admin');
        return { acl: structuredClone(node.acl), stat: statOf(node) };
      }
      case 'readMany':
        return question.reads.map((read) => this.#outcome(read));
      case 'ephemerals':
        return this.#tree.ephemeralsOf(asker.session).filter((path) => path.startsWith(question.path));
      case 'countDescendants':
        return this.#count(question.path);
      case 'whoAmI':
        return [{ scheme: 'ip', id: address }];
      case 'watch':
        this.watches.add(question.mode, question.path, asker);
        return undefined;
      case 'removeWatches':
        if (!this.watches.remove(question.path, asker)) throw new Refused('noWatcher');
        return undefined;
      case 'replaceWatches':
        this.#replace(asker, question.watches, question.since);
        return undefined;
      case 'sync':
        return undefined;
    }
  }

  #readOne({ kind, path }: ReadQuestion): object {
    const node = this.#tree.get(path);
    demand(node.acl, 'read');
    if (kind === 'get') return { data: Buffer.from(node.data), stat: statOf(node) };
    // Servers promise no order. This is one in which nobody can mistake it for that of creation.
    return { names: [...node.children].reverse(), stat: statOf(node) };
  }

  #outcome(read: ReadQuestion): object {
    try {
      return this.#readOne(read);
    } catch (error) {
      return { code: codeOf(error) };
    }
  }

  #exists(asker: Asker, path: string, watch: boolean): unknown {
    const node = this.#tree.find(path);
    if (node) demand(node.acl, 'read');
    if (watch) this.watches.add('data', path, asker);
    return statOf(this.#tree.get(path));
  }

  #count(path: string): number {
    demand(this.#tree.get(path).acl, 'read');
    if (path === '/') return this.#tree.size - 1;
    let count = 0;
    for (const each of this.#tree.paths) if (each.startsWith(`${path}/`)) count += 1;
    return count;
  }

  /** The watches of an earlier connection, which is told at once of what they have missed since. */
  #replace(asker: Asker, watches: PlacedWatches, since: bigint): void {
    const place = (paths: readonly string[], kind: 'data' | 'children', missed: (node: Node | undefined) => number) => {
      for (const path of paths) {
        const type = missed(this.#tree.find(path));
        if (type === 0) this.watches.add(kind, path, asker);
        else asker.notified({ type, path });
      }
    };
    const { created, deleted, changed, children } = notified;
    place(watches.data, 'data', (node) => (!node ? deleted : node.mzxid > since ? changed : 0));
    place(watches.exists, 'data', (node) => (node ? created : 0));
    place(watches.children, 'children', (node) => (!node ? deleted : node.pzxid > since ? children : 0));
    for (const path of watches.persistent) this.watches.add('persistent', path, asker);
    for (const path of watches.recursive) this.watches.add('recursive', path, asker);
  }
}

function isOverdue({ container, ttl, born, mtime, children }: Node, now: number): boolean {
  if (children.size > 0) return false;
  return (container && born > 0) || (ttl !== undefined && now - Number(mtime) > ttl);
}

function codeOf(error: unknown): number {
  if (error instanceof Refused) return error.code;
  throw error;
}
