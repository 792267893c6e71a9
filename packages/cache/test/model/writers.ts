import { type Change, markOf, taggedWith } from './changes.ts';
import type { Readers } from './readers.ts';
import type { Process, Scene } from './scene.ts';
import { keys, tagsOf, type Written } from './schedule.ts';

/** Those who change something at the origin, and tell the caches. */
export class Writers {
  readonly #scene: Scene;
  readonly #readers: Readers;
  /** Who reads or writes under a token just now. */
  readonly #leading = new Set<number>();
  /** Ends the wait for processes that nobody has met. */
  readonly #giveUp = new AbortController();

  constructor(scene: Scene, readers: Readers) {
    this.#scene = scene;
    this.#readers = readers;
  }

  giveUp(): void {
    this.#giveUp.abort();
  }

  /** One at a time: word does not say under which token something was written. */
  lead(process: Process, how: 'get' | 'set'): void {
    const { changes, proved } = this.#scene;
    const { by, cache, wire } = process;
    if (this.#leading.has(by) || wire.astray) return;
    this.#leading.add(by);
    const token = changes.next();
    const { signal } = this.#giveUp;
    const over = async (work: Promise<unknown>): Promise<void> => {
      try {
        await work;
        proved.led += 1;
        changes.passed(token, this.#scene.step);
      } catch (error) {
        if ((error as { code?: unknown }).code === 'fenced') proved.fenced += 1;
        throw error;
      } finally {
        this.#leading.delete(by);
      }
    };
    if (how === 'get') this.#readers.underToken(process, token, signal, over);
    else {
      const change = changes.begin('set', by, ['led'], token);
      this.#change(change, () => over(cache.set('led', token, { fence: BigInt(token), signal })));
    }
  }

  write({ by, cache }: Process, how: 'set' | 'delete', key: Written): void {
    const { changes } = this.#scene;
    if (changes.open([key])) return;
    const value = changes.next();
    const { signal } = this.#giveUp;
    const options = { signal, tags: tagsOf[key], ...(key === 'brief' && { ttl: 1 }) };
    this.#change(changes.begin(how, by, [key], value), () =>
      how === 'set' ? cache.set(key, value, options) : cache.delete(key, { signal }),
    );
  }

  invalidate({ by, cache }: Process, tags: readonly ('a' | 'b')[]): void {
    const { changes } = this.#scene;
    const concerned = taggedWith(tags);
    if (changes.open(concerned, 'set')) return;
    const value = changes.next();
    const { signal } = this.#giveUp;
    const invalidating = (): Promise<void> => cache.invalidate({ tags: [...tags, markOf(value)], signal });
    this.#change(changes.begin('invalidate', by, concerned, value), invalidating);
  }

  clear({ by, cache }: Process): void {
    const { changes } = this.#scene;
    // A namespace has its version, which that does not change.
    const concerned = keys.filter((key) => key !== 'space');
    if (changes.open(concerned, 'set')) return;
    const { signal } = this.#giveUp;
    this.#change(changes.begin('clear', by, concerned, changes.next()), () => cache.clear({ signal }));
  }

  move({ by, cache }: Process): void {
    const { changes } = this.#scene;
    const value = changes.next();
    const { signal } = this.#giveUp;
    const moving = (): Promise<void> => cache.namespace('space').moveTo(String(value), { signal });
    this.#change(changes.begin('move', by, ['space'], value), moving);
  }

  #change(change: Change, work: () => Promise<void>): void {
    const over = (): void => {
      this.#scene.tell(`   change ${change.value} of ${change.by} is done`);
      change.done = true;
    };
    const failed = (): void => {
      change.failed = this.#scene.step;
    };
    this.#scene.follow(work().then(over, failed));
  }
}
