import type { LocalEntry, Tagging } from '../local/local-entry.ts';
import type { KeyNames } from '../redis/key-names.ts';
import { type Link, type Silence, silence } from '../redis/link.ts';
import type { Node } from '../redis/nodes.ts';
import { TagClock } from './tag-clock.ts';
import { Told } from './told.ts';
import { Versions } from './versions.ts';

/** What this process has heard of the others' changes, and what it can therefore vouch for. */
export class Coherence {
  readonly tags: TagClock;
  readonly versions: Versions;
  readonly #link: Link;
  readonly #names: KeyNames;
  /** For how long after the last beat what was heard is all there is to hear. */
  readonly #span: number;
  /** For how long what is here is given out while Redis is away. */
  readonly #trust: number;
  readonly #told = new Told();
  #subscribed = false;
  /** Until then all nodes have been heard. */
  #heardUntil = 0;

  constructor(link: Link, names: KeyNames, span: number, trust: number) {
    this.#link = link;
    this.#names = names;
    this.#span = span;
    this.#trust = trust;
    // Of tags and versions word comes from the node that has the clock.
    const hears = (): boolean => this.#hears(names.clock, performance.now());
    this.tags = new TagClock(link, names, hears);
    this.versions = new Versions(link, names, hears);
  }

  /** Until then what is in this process is good, unless word of a tag has come since it was looked at: see `moment`. */
  get heardUntil(): number {
    return this.#heardUntil;
  }

  /** Rises with each word of tags, and with each gap. */
  get moment(): number {
    return this.#told.moment;
  }

  /** Whether word of changes comes in. */
  get subscribed(): boolean {
    return this.#subscribed;
  }

  /**
   * Now, for a caller: what began before this moment may be older than what the caller must get. A process that hears
   * nothing cannot tell one moment from the next, so that each caller has one of its own.
   */
  ask(): number {
    if (!this.#subscribed) this.#told.gap();
    return this.#told.moment;
  }

  /** Whether a local entry may be given out: its word is good, or Redis is away and it is not too old to be trusted. */
  vouches(entry: LocalEntry, now: number): boolean {
    const { tagging } = entry;
    if (now < this.#heardUntil && this.#stillGood(tagging)) return true;
    const name = this.#names.entry(entry.key, entry.version);
    const tagsHeard = tagging === undefined || this.#hears(this.#names.clock, now);
    if (tagsHeard && this.#hears(name, now) && this.#stillGood(tagging)) return true;
    if (!this.#link.away(name)) return false;
    if (now >= Math.max(this.#link.nodes.of(name).heardAt, entry.since) + this.#trust) return false;
    if (tagging === undefined) return true;
    const { tags, clock, checkedAt } = tagging;
    return this.#told.holds(tags, clock, checkedAt) !== false && this.tags.valid(tags, clock) !== false;
  }

  /** What an entry that is good now has to remember of its tags. */
  tagging(tags: readonly string[], clock: number): Tagging | undefined {
    const sure = this.tags.valid(tags, clock) === true;
    // Without tags there is nothing to look at again, unless it may have been cleared.
    if (tags.length === 0 && sure) return undefined;
    return { tags, clock, checkedAt: sure ? this.#told.moment : -1 };
  }

  /** Whether a value that was read or loaded since that moment, with these tags, is as good for whoever asks now. */
  holdsSince(tags: readonly string[], clock: number, since: number): boolean {
    return this.#subscribed && this.#told.holds(tags, clock, since) === true;
  }

  /** What is forgotten by it is out of reach of this process at once. */
  async invalidate(tags: readonly string[]): Promise<true | Silence> {
    const clock = await this.tags.invalidate(tags);
    if (clock === silence) return silence;
    this.#told.tell(tags, clock);
    return true;
  }

  /** Nothing from before is within reach of this process any more. */
  async clear(): Promise<true | Silence> {
    const clock = await this.tags.clear();
    if (clock === silence) return silence;
    this.#told.gap();
    return true;
  }

  toldClear(clock: number): void {
    this.tags.toldClear(clock);
    this.#told.gap();
  }

  told(clock: number, tags: readonly string[]): void {
    this.tags.told(clock, tags);
    this.#told.tell(tags, clock);
  }

  /** All that was said on this node before this moment of our clock has arrived. */
  heard(node: Node, at: number): void {
    node.heardAt = at;
    this.#heardUntil = Math.min(at, this.#link.nodes.heardAt) + this.#span;
  }

  /** Word comes in from now on; what was said before was missed. */
  gap(): void {
    this.#forget();
    this.#subscribed = true;
    // So that what is loaded from now on is not taken for older than it is.
    void this.tags.prepare([], 0);
  }

  /** Things may be said from now on that do not arrive. */
  lost(): void {
    this.#forget();
    this.#subscribed = false;
  }

  #forget(): void {
    this.#heardUntil = 0;
    // Not `heardAt`: what is here is trusted for a while after it, when nobody answers.
    this.#told.gap();
    this.tags.gap();
    this.versions.gap();
  }

  #hears(key: string, now: number): boolean {
    return this.#subscribed && now < this.#link.nodes.of(key).heardAt + this.#span;
  }

  #stillGood(tagging: Tagging | undefined): boolean {
    if (tagging === undefined || tagging.checkedAt === this.#told.moment) return true;
    const { tags, clock, checkedAt } = tagging;
    const good = this.#told.holds(tags, clock, checkedAt) ?? this.tags.valid(tags, clock) === true;
    if (good) tagging.checkedAt = this.#told.moment;
    return good;
  }
}
