import { notified, type WatchMode } from '@quorate/zookeeper/in-process';
import { parentOf } from '../path.ts';
import type { Event } from './change.ts';
import { allows } from './permissions.ts';

/** Who is told: one connection of a session. Its watches go with it. */
export interface Watcher {
  notified(event: Pick<Event, 'type' | 'path'>): void;
}

/** `data` and `children` fire once; the others stay. `data` is also how one waits for a node to be created. */
export type Kind = 'data' | 'children' | WatchMode;

const kinds: readonly Kind[] = ['data', 'children', 'persistent', 'recursive'];

/** The watches as servers keep them: at most one of a kind for each path and connection. */
export class Watches {
  readonly #tables: Readonly<Record<Kind, Map<string, Set<Watcher>>>> = {
    data: new Map(),
    children: new Map(),
    persistent: new Map(),
    recursive: new Map(),
  };
  readonly #pathsOf = new Map<Watcher, Set<string>>();

  /** How many there are, so that tests can tell that none was left behind. */
  get size(): number {
    const sizes = kinds.flatMap((kind) => [...this.#tables[kind].values()].map((watchers) => watchers.size));
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  add(kind: Kind, path: string, watcher: Watcher): void {
    const table = this.#tables[kind];
    table.set(path, (table.get(path) ?? new Set()).add(watcher));
    this.#pathsOf.set(watcher, (this.#pathsOf.get(watcher) ?? new Set()).add(path));
  }

  /** Tells each connection that is interested, and each once, however many watches it has. */
  fire(event: Event): void {
    const { type, path, acl } = event;
    const told = new Set<Watcher>([...this.#at('persistent', path)]);
    if (type !== notified.children) {
      for (const watcher of this.#spend('data', path)) told.add(watcher);
      for (const watcher of this.#above(path)) told.add(watcher);
    }
    if (type === notified.children || type === notified.deleted) {
      for (const watcher of this.#spend('children', path)) told.add(watcher);
    }
    if (!allows(acl, ['read'])) return;
    for (const watcher of told) watcher.notified({ type, path });
  }

  /** Takes all of one path away. Whether there was any. */
  remove(path: string, watcher: Watcher): boolean {
    const there = kinds.filter((kind) => this.#take(kind, path, watcher));
    return there.length > 0;
  }

  /** The connection is gone. */
  drop(watcher: Watcher): void {
    for (const path of [...(this.#pathsOf.get(watcher) ?? [])]) this.remove(path, watcher);
  }

  #at(kind: Kind, path: string): readonly Watcher[] {
    return [...(this.#tables[kind].get(path) ?? [])];
  }

  #spend(kind: Kind, path: string): readonly Watcher[] {
    const watchers = this.#at(kind, path);
    for (const watcher of watchers) this.#take(kind, path, watcher);
    return watchers;
  }

  *#above(from: string): Iterable<Watcher> {
    if (this.#tables.recursive.size === 0) return;
    for (let path = from; ; path = parentOf(path)) {
      yield* this.#at('recursive', path);
      if (path === '/') return;
    }
  }

  #take(kind: Kind, path: string, watcher: Watcher): boolean {
    const watchers = this.#tables[kind].get(path);
    if (!watchers?.delete(watcher)) return false;
    if (watchers.size === 0) this.#tables[kind].delete(path);
    if (kinds.some((each) => this.#tables[each].get(path)?.has(watcher))) return true;
    const paths = this.#pathsOf.get(watcher);
    paths?.delete(path);
    if (paths?.size === 0) this.#pathsOf.delete(watcher);
    return true;
  }
}
