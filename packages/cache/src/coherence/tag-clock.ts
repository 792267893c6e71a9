import type { KeyNames } from '../redis/key-names.ts';
import { type Link, type Silence, silence } from '../redis/link.ts';
import { clearMessage, tagsMessage } from '../redis/message.ts';
import { clear, invalidate, learn } from '../redis/scripts.ts';

/** How many tags are remembered; beyond that the oldest are asked for again. */
const mostKnown = 50_000;

/** For how long Redis remembers a tag at least: it is asked again about one that is used for longer. */
const shortestLife = 3_600_000;

interface Known {
  /** When it was invalidated last, by the clock. */
  at: number;
  /** What was found out since a gap is sure; what is older is true as well, but there may be more to know. */
  round: number;
  /** Until then Redis remembers it, by our own clock. */
  until: number;
}

/**
 * When each tag was invalidated, by one clock that all share. An entry keeps what the clock read before it was loaded: it
 * is valid while none of its tags has a later one. So an invalidation is one write, whatever the number of entries.
 */
export class TagClock {
  readonly #link: Link;
  readonly #names: KeyNames;
  /** Whether all that changes is heard. */
  readonly #hears: () => boolean;
  readonly #known = new Map<string, Known>();
  #round = 0;
  #now = 0;
  /** What the clock read when everything was cleared: whatever is from before is not valid. Sure as a tag is. */
  #cleared = 0;
  #clearedRound = -1;

  constructor(link: Link, names: KeyNames, hears: () => boolean) {
    this.#link = link;
    this.#names = names;
    this.#hears = hears;
  }

  /** The latest that we know of; what the servers have may be later, never earlier. */
  get now(): number {
    return this.#now;
  }

  /** Things may have happened unheard: what is said before a gap may have been overtaken in it. */
  gap(): void {
    this.#round += 1;
  }

  /** Whether neither a tag was invalidated nor all was cleared since the clock read this. Undefined when we cannot be sure. */
  valid(tags: readonly string[], clock: number): boolean | undefined {
    if (this.#cleared > clock) return false;
    let sure = this.#clearedRound === this.#round;
    for (const tag of tags) {
      const known = this.#known.get(tag);
      if (known !== undefined && known.at > clock) return false;
      if (known === undefined || known.round !== this.#round) sure = false;
    }
    return sure && this.#hears() ? true : undefined;
  }

  /** The same, asking Redis where it must. */
  async check(tags: readonly string[], clock: number): Promise<boolean | Silence> {
    const valid = this.valid(tags, clock);
    if (valid !== undefined) return valid;
    const times = await this.#learn(tags, shortestLife);
    // In a cluster others may have the entry than the clock: without tags it is good for all that is known.
    if (times === silence) return tags.length === 0 && this.#link.away(this.#names.clock) ? true : silence;
    return this.#cleared <= clock && times.every((at) => at <= clock);
  }

  /**
   * Sees to it that what the clock reads from now on counts for these tags too, and that Redis remembers them for as long
   * as an entry lives that has them.
   */
  async prepare(tags: readonly string[], life: number): Promise<void> {
    const enough = performance.now() + life;
    const remembered = tags.every((tag) => (this.#known.get(tag)?.until ?? 0) > enough);
    if (this.#now > 0 && remembered && this.valid(tags, Infinity) === true) return;
    await this.#learn(tags, Math.max(2 * life, shortestLife));
  }

  /** Word of an invalidation. */
  told(clock: number, tags: readonly string[]): void {
    this.#take(clock, tags, this.#round);
  }

  /** What the clock reads after it. */
  async invalidate(tags: readonly string[]): Promise<number | Silence> {
    const round = this.#round;
    const reply = await this.#link.run(
      invalidate,
      [this.#names.clock, ...tags.map((tag) => this.#names.tag(tag))],
      [this.#names.channel, ...tagsMessage(tags), String(this.#now)],
    );
    if (reply === silence) return silence;
    this.#take(Number(reply), tags, round);
    return Number(reply);
  }

  /** Word that everything was cleared. */
  toldClear(clock: number): void {
    this.#takeClear(clock, this.#round);
  }

  /** What the clock reads after it. */
  async clear(): Promise<number | Silence> {
    const round = this.#round;
    const args = [this.#names.channel, clearMessage, String(this.#now)];
    const reply = await this.#link.run(clear, [this.#names.clock], args);
    if (reply === silence) return silence;
    this.#takeClear(Number(reply), round);
    return Number(reply);
  }

  async #learn(tags: readonly string[], life: number): Promise<readonly number[] | Silence> {
    const keys = [this.#names.clock, ...tags.map((tag) => this.#names.tag(tag))];
    const [round, until] = [this.#round, performance.now() + life];
    const reply = await this.#link.run(learn, keys, [String(life), String(this.#now)]).catch(() => silence);
    if (reply === silence) return silence;
    const [now = 0, cleared = 0, ...times] = (reply as string[]).map(Number);
    this.#now = Math.max(this.#now, now, ...times);
    this.#takeClear(cleared, round);
    return tags.map((tag, index) => this.#know(tag, times[index] ?? Infinity, round, until));
  }

  #takeClear(clock: number, round: number): void {
    this.#now = Math.max(this.#now, clock);
    this.#cleared = Math.max(this.#cleared, clock);
    this.#clearedRound = Math.max(this.#clearedRound, round);
  }

  #take(clock: number, tags: readonly string[], round: number): void {
    this.#now = Math.max(this.#now, clock);
    for (const tag of tags) this.#know(tag, clock, round, 0);
  }

  /** Word may come in any order: what is later counts. What was asked before a gap is not sure after it. */
  #know(tag: string, at: number, round: number, until: number): number {
    const known = this.#known.get(tag);
    if (known !== undefined) {
      known.at = Math.max(known.at, at);
      known.round = Math.max(known.round, round);
      known.until = Math.max(known.until, until);
      return known.at;
    }
    if (this.#known.size >= mostKnown) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    this.#known.set(tag, { at, round, until });
    return at;
  }
}
