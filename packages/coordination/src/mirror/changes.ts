import { Latest } from '@quorate/core';
import type { MirroredNode } from './copy.ts';

/**
 * - `changed`: the node is there, new or with other data.
 * - `deleted`: it is not there any more.
 * - `gap`: more has changed than was read in time; look at the whole mirror. `path` is its root.
 */
export type MirrorChange =
  | { readonly type: 'changed'; readonly path: string; readonly node: MirroredNode }
  | { readonly type: 'deleted' | 'gap'; readonly path: string };

/** At most so many paths wait for a reader. */
const most = 10_000;

/** Changes on their way to one reader: of each path the latest, in the order in which the paths first changed. */
export class Changes implements AsyncIterableIterator<MirrorChange, undefined>, AsyncDisposable {
  readonly #root: string;
  readonly #limit: number;
  readonly #pending = new Map<string, MirrorChange>();
  /** Says that there is something, or how it ended. */
  readonly #news: Latest<void>;

  /** `ended` is called once, when nobody reads any more or nothing will come. */
  constructor(root: string, ended: () => void, limit: number = most) {
    this.#root = root;
    this.#limit = limit;
    this.#news = new Latest(ended);
  }

  push(change: MirrorChange): void {
    const { path } = change;
    if (this.#pending.size >= this.#limit && !this.#pending.has(path)) {
      this.#pending.clear();
      this.#pending.set(this.#root, { type: 'gap', path: this.#root });
    } else if (this.#pending.get(path)?.type !== 'gap') this.#pending.set(path, change);
    this.#news.push(undefined);
  }

  finish(): void {
    this.#news.finish();
  }

  fail(reason: unknown): void {
    this.#pending.clear();
    this.#news.fail(reason);
  }

  async next(): Promise<IteratorResult<MirrorChange, undefined>> {
    for (;;) {
      for (const [path, value] of this.#pending) {
        this.#pending.delete(path);
        return { done: false, value };
      }
      if ((await this.#news.next()).done) return { done: true, value: undefined };
    }
  }

  async return(): Promise<IteratorResult<MirrorChange, undefined>> {
    this.#pending.clear();
    await this.#news.return();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
