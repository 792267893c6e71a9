import { callOut } from '../call-out.ts';
import { parentOf } from '../path.ts';
import { notified, type WatchNotification } from '../protocol/watch-event.ts';
import type { WatchEvent } from './watch-event.ts';

/** `data` and `children` watch a node that is there, `exists` one that is not: each fires once. The others stay. */
export type WatchKind = 'data' | 'exists' | 'children' | 'persistent' | 'recursive';

/** Somebody's interest in a path of the server. */
export interface Interest {
  readonly path: string;
  kind: WatchKind;
  /** Whether it has fired or was given up. */
  over: boolean;
  readonly deliver: (event: WatchEvent) => void;
  /** It is over, fired or not: lets go of whatever was kept for it. With the reason, where that is not the end of the session. */
  readonly ended: (reason?: Error) => void;
}

export type Interested = Pick<Interest, 'deliver' | 'ended'>;

export interface PlacedWatches {
  readonly data: string[];
  readonly exists: string[];
  readonly children: string[];
  readonly persistent: string[];
  readonly recursive: string[];
}

type Table = Map<string, Set<Interest>>;
type Tables = Readonly<Record<WatchKind, Table>>;

const tables = (): Tables => ({
  data: new Map(),
  exists: new Map(),
  children: new Map(),
  persistent: new Map(),
  recursive: new Map(),
});

/** Of all sessions that have placed no watch yet: there may be thousands. */
const none = tables();

/**
 * Who is interested in what. The server keeps one watch of a kind for each path and connection, however many here want
 * it, and can only remove all kinds of a path at once: so it is asked to when the last interest in the path is gone.
 */
export class WatchRegistry {
  #placed = none;
  /** How many are interested in a path, placed or under way. */
  readonly #interested = new Map<string, number>();
  /** Paths with a watch on the server that nobody here wants, kept because somebody wants another one there. */
  readonly #unwanted = new Set<string>();
  readonly #removeFromServer: (path: string) => void;

  constructor(removeFromServer: (path: string) => void) {
    this.#removeFromServer = removeFromServer;
  }

  get size(): number {
    return [...this.#interested.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Counted from before the request is sent, so that nobody removes the watch while the reply is on its way. */
  begin(path: string, kind: WatchKind, { deliver, ended }: Interested): Interest {
    this.#interested.set(path, (this.#interested.get(path) ?? 0) + 1);
    return { path, kind, over: false, deliver, ended };
  }

  /** The server has confirmed it. To be called before the next frame is read: the event may be in it. */
  place(interest: Interest, kind: WatchKind = interest.kind): void {
    if (interest.over) return;
    interest.kind = kind;
    if (this.#placed === none) this.#placed = tables();
    const table = this.#placed[kind];
    const there = table.get(interest.path);
    if (there) there.add(interest);
    else table.set(interest.path, new Set([interest]));
  }

  /** Ends an interest before it has fired. `onServer` says whether the server may have a watch for it. */
  end(interest: Interest, onServer = true): void {
    if (interest.over) return;
    this.#finish(interest, onServer);
  }

  /** Tells everybody who is interested in what the server says has happened. */
  notify({ type, path }: WatchNotification): void {
    const { data, exists, children, persistent, recursive } = this.#placed;
    switch (type) {
      case notified.created:
        this.#fire([data, exists], { type: 'created', path });
        this.#tell(persistent, path, { type: 'created', path });
        this.#tellAncestors(recursive, { type: 'created', path });
        return;
      case notified.deleted:
        this.#fire([data, exists, children], { type: 'deleted', path });
        this.#tell(persistent, path, { type: 'deleted', path });
        this.#tellAncestors(recursive, { type: 'deleted', path });
        return;
      case notified.changed:
        this.#fire([data, exists], { type: 'changed', path });
        this.#tell(persistent, path, { type: 'changed', path });
        this.#tellAncestors(recursive, { type: 'changed', path });
        return;
      case notified.children:
        this.#fire([children], { type: 'children', path });
        this.#tell(persistent, path, { type: 'children', path });
    }
  }

  /** What to ask a new connection for. */
  placed(): PlacedWatches {
    const paths = (kind: WatchKind): string[] => [...this.#placed[kind].keys()];
    return {
      data: paths('data'),
      exists: paths('exists'),
      children: paths('children'),
      persistent: paths('persistent'),
      recursive: paths('recursive'),
    };
  }

  get hasPersistent(): boolean {
    return this.#placed.persistent.size + this.#placed.recursive.size > 0;
  }

  /** Ends those persistent watches that a new connection's server cannot have, each with the reason for its path. */
  refusePersistent(refusal: (path: string) => Error | undefined): void {
    for (const table of [this.#placed.persistent, this.#placed.recursive]) {
      for (const [path, interests] of [...table]) {
        const reason = refusal(path);
        if (reason) for (const interest of [...interests]) this.#finish(interest, false, reason);
      }
    }
  }

  /** The server of a new connection has what `placed` listed, and nothing else. */
  replaced(): void {
    this.#unwanted.clear();
    // A server replays what one-shot watches missed, but not what persistent ones did.
    for (const table of [this.#placed.persistent, this.#placed.recursive]) {
      for (const [path, interests] of table)
        for (const interest of [...interests]) callOut(interest.deliver, { type: 'gap', path });
    }
  }

  /** The session is over. */
  clear(): void {
    for (const table of Object.values(this.#placed)) {
      for (const interests of table.values()) {
        for (const interest of interests) {
          interest.over = true;
          interest.ended();
        }
      }
      table.clear();
    }
    this.#interested.clear();
    this.#unwanted.clear();
  }

  #fire(tables: readonly Table[], event: WatchEvent): void {
    for (const table of tables) {
      for (const interest of [...(table.get(event.path) ?? [])]) {
        this.#finish(interest, false);
        callOut(interest.deliver, event);
      }
    }
  }

  #tell(table: Table, path: string, event: WatchEvent): void {
    for (const interest of [...(table.get(path) ?? [])]) callOut(interest.deliver, event);
  }

  #tellAncestors(table: Table, event: WatchEvent): void {
    if (table.size === 0) return;
    for (let path = event.path; ; path = parentOf(path)) {
      this.#tell(table, path, event);
      if (path === '/') return;
    }
  }

  #finish(interest: Interest, leftOnServer: boolean, reason?: Error): void {
    const { path, kind } = interest;
    interest.over = true;
    interest.ended(reason);
    const table = this.#placed[kind];
    const there = table.get(path);
    if (there?.delete(interest) && there.size === 0) table.delete(path);
    if (leftOnServer) this.#unwanted.add(path);
    const left = (this.#interested.get(path) ?? 1) - 1;
    if (left > 0) {
      this.#interested.set(path, left);
      return;
    }
    this.#interested.delete(path);
    if (this.#unwanted.delete(path)) this.#removeFromServer(path);
  }
}
