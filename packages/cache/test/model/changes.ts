import { type Key, keys, tagsOf } from './schedule.ts';

/** Something was changed at the origin, and the caches were told. */
export interface Change {
  readonly how: 'set' | 'delete' | 'invalidate' | 'clear' | 'move';
  readonly by: number;
  readonly keys: readonly Key[];
  /** The origin has come to this. Where it was written under a token, this is the token too. */
  readonly value: number;
  /** The call has ended well. */
  done: boolean;
  /** The step in which the call has ended otherwise: whether it was done after all, word of it says. */
  failed: number | undefined;
  /** Where word of it stands in what was published, once the server has done it. */
  said: number | undefined;
}

/** What a process has heard. */
export interface Ears {
  /** False from the moment the process is told that nothing will be heard any more. */
  readonly listening: boolean;
  /** What word has been given to the process, by its place in all that was published. */
  readonly heard: ReadonlySet<number>;
  /** What was published before this is what the process knows that it has missed. */
  readonly listensSince: number;
}

/** What the origin has come to, and how much of that an answer must show. */
export class Changes {
  #all: Change[] = [];
  #number = 0;
  readonly #origin = new Map<Key, number>();
  /** The versions of the namespace in the order in which the server has moved to them. */
  readonly #versions: number[] = [0];
  /** The newest token that has read or written something, and the step in which it had done so. */
  readonly #tokens: { readonly token: number; readonly step: number }[] = [];

  /** What its loader finds. */
  at(key: Key): number {
    return this.#origin.get(key) ?? 0;
  }

  /** Later than all that was changed, and all tokens, so far. */
  next(): number {
    this.#number += 1;
    return this.#number;
  }

  begin(how: Change['how'], by: number, about: readonly Key[], value: number): Change {
    for (const key of about) this.#origin.set(key, value);
    const change: Change = { how, by, keys: about, value, done: false, failed: undefined, said: undefined };
    this.#all.push(change);
    return change;
  }

  /** Whoever writes a value while others change it cannot know which comes last: nobody does that here, without a token. */
  open(about: readonly Key[], how?: 'set'): boolean {
    return this.#all.some(
      (change) =>
        !change.done &&
        change.said === undefined &&
        (how === undefined || change.how === how) &&
        change.keys.some((key) => about.includes(key)),
    );
  }

  /** Those that have failed were not done, when nothing is on its way any more from whoever has made them. */
  sweep(mayArrive: (by: number) => boolean): void {
    this.#all = this.#all.filter(({ by, failed, said }) => failed === undefined || said !== undefined || mayArrive(by));
  }

  /** The change that this word is about, where it is about one. */
  said(text: string, by: number | undefined, published: number): Change | undefined {
    const change = this.#all.find((one) => one.said === undefined && isSaidBy(one, text, by));
    if (change === undefined) return undefined;
    change.said = published;
    if (change.how === 'move') this.#versions.push(change.value);
    return change;
  }

  /** Whoever has this token has read or written: an older one is refused from the next step on. */
  passed(token: number, step: number): void {
    this.#tokens.push({ token, step });
  }

  refused(token: number, step: number): boolean {
    return this.#tokens.some((other) => other.token > token && other.step < step);
  }

  /** What an answer must not be older than: for sure, if the process can ask the server, and if it was written before. */
  least(by: number, key: Key, ears: Ears): { readonly sure: number; readonly asked: number; readonly written: number } {
    const about = this.#all.filter((change) => change.keys.includes(key));
    const last = (known: (change: Change) => boolean): number =>
      about.filter(known).reduce((most, { value }) => Math.max(most, this.reached(key, value)), 0);
    const sure = last(
      ({ by: other, done, said }) => (other === by && done) || (said !== undefined && ears.heard.has(said)),
    );
    const missed = ears.listening ? ears.listensSince : Number.POSITIVE_INFINITY;
    const written = last(({ how, said, done }) => how === 'set' && (done || said !== undefined));
    const asked = last(({ said }) => said !== undefined && said <= missed);
    return { sure, asked: Math.max(sure, asked), written };
  }

  reached(key: Key, value: number): number {
    return key === 'space' ? this.#versions.indexOf(value) : value;
  }
}

/** All keys that have one of these tags. */
export const taggedWith = (tags: readonly string[]): readonly Key[] =>
  keys.filter((key) => key !== 'space' && tagsOf[key].some((tag) => tags.includes(tag)));

/** In the word of an invalidation there is only its tags: this one is of no other. */
export const markOf = (value: number): string => `mark-${value}`;

function isSaidBy({ how, by, keys: [key], value }: Change, text: string, sender: number | undefined): boolean {
  if (how === 'invalidate') return text.startsWith('t') && text.includes(`"${markOf(value)}"`);
  if (how === 'clear') return /^c\d/.test(text);
  if (how === 'move') return text.startsWith('v') && text.includes(`"${value}"`);
  return by === sender && text.startsWith('k') && text.endsWith(` ${key}`);
}
