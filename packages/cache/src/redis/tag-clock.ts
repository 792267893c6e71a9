import type { KeyNames } from './key-names.ts';
import { type Link, type Silence, silence } from './link.ts';
import { tagsMessage } from './message.ts';
import { invalidate, learn } from './scripts.ts';

/** How many tags are remembered; beyond that the oldest are asked for again. */
const mostKnown = 50_000;

/**
 * When each tag was invalidated, by one clock that all share. An entry keeps what the clock read before it was loaded: it
 * is valid while none of its tags has a later one. So an invalidation is one write, whatever the number of entries.
 */
export class TagClock {
  readonly #link: Link;
  readonly #names: KeyNames;
  /** Outlives every entry. */
  readonly #life: number;
  /** What was found out since a gap (`round`) is sure; what is older is true as well, but there may be more to know. */
  readonly #known = new Map<string, { at: number; round: number }>();
  #round = 0;
  #now = 0;
  #learnt = 0;
  #hearing = false;

  constructor(link: Link, names: KeyNames, life: number) {
    this.#link = link;
    this.#names = names;
    this.#life = life;
  }

  /** The latest that we know of; what the servers have may be later, never earlier. */
  get now(): number {
    return this.#now;
  }

  /**
   * How often anything has been learnt: while this is the same, so is what is valid. The clock would not do, for word of an
   * earlier reading may come after that of a later one.
   */
  get learnt(): number {
    return this.#learnt;
  }

  /** Whether all that changes is heard. */
  set hearing(hearing: boolean) {
    this.#hearing = hearing;
    this.#round += 1;
    this.#learnt += 1;
  }

  /** Whether no tag was invalidated since the clock read this. Undefined when we cannot be sure. */
  valid(tags: readonly string[], clock: number): boolean | undefined {
    let sure = true;
    for (const tag of tags) {
      const known = this.#known.get(tag);
      if (known !== undefined && known.at > clock) return false;
      if (known === undefined || known.round !== this.#round) sure = false;
    }
    return sure && this.#hearing ? true : undefined;
  }

  /** The same, asking Redis where it must. */
  async check(tags: readonly string[], clock: number): Promise<boolean | Silence> {
    if (tags.length === 0) return true;
    const valid = this.valid(tags, clock);
    if (valid !== undefined) return valid;
    const times = await this.#learn(tags);
    return times === silence ? silence : times.every((at) => at <= clock);
  }

  /** Sees to it that what the clock reads from now on counts for these tags too. */
  async prepare(tags: readonly string[]): Promise<void> {
    if (this.#now > 0 && this.valid(tags, Infinity) === true) return;
    await this.#learn(tags);
  }

  /** Word of an invalidation, ours or another's. */
  told(clock: number, tags: readonly string[]): void {
    this.#take(clock, tags, this.#round);
  }

  async invalidate(tags: readonly string[]): Promise<true | Silence> {
    const round = this.#round;
    const reply = await this.#link.run(
      invalidate,
      [this.#names.clock, ...tags.map((tag) => this.#names.tag(tag))],
      [String(this.#life), this.#names.channel, ...tagsMessage(tags)],
    );
    if (reply === silence) return silence;
    this.#take(Number(reply), tags, round);
    return true;
  }

  async #learn(tags: readonly string[]): Promise<readonly number[] | Silence> {
    const keys = [this.#names.clock, ...tags.map((tag) => this.#names.tag(tag))];
    // What is said before a gap may have been overtaken in it.
    const round = this.#round;
    const reply = await this.#link.run(learn, keys, [String(this.#life)]).catch(() => silence);
    if (reply === silence) return silence;
    const [now = 0, ...times] = (reply as string[]).map(Number);
    this.#now = Math.max(this.#now, now, ...times);
    this.#learnt += 1;
    return tags.map((tag, index) => this.#know(tag, times[index] ?? Infinity, round));
  }

  #take(clock: number, tags: readonly string[], round: number): void {
    this.#now = Math.max(this.#now, clock);
    this.#learnt += 1;
    for (const tag of tags) this.#know(tag, clock, round);
  }

  /** Word may come in any order: what is later counts. */
  #know(tag: string, clock: number, round: number): number {
    const known = this.#known.get(tag);
    if (known !== undefined) {
      known.at = Math.max(known.at, clock);
      known.round = Math.max(known.round, round);
      return known.at;
    }
    if (this.#known.size >= mostKnown) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    this.#known.set(tag, { at: clock, round });
    return clock;
  }
}
