import { setImmediate } from 'node:timers/promises';
import { Cache, type CacheOptions } from '../../src/index.ts';
import type { Exchange, Word } from './exchange.ts';
import { type Key, keys, processes, type Step, tagsOf } from './schedule.ts';
import { Wire, ways } from './wire.ts';

/** Something was changed at the origin, and the caches were told. */
interface Change {
  readonly how: 'set' | 'delete' | 'invalidate' | 'clear' | 'move';
  readonly by: number;
  readonly keys: readonly Key[];
  /** The origin has come to this. */
  readonly value: number;
  /** The call has ended well. */
  done: boolean;
  /** The call has ended otherwise: whether it was done after all, word of it says before the next step. */
  failed: boolean;
  /** Where word of it stands in what was published, once the server has done it. */
  said: number | undefined;
  readonly isSaidBy: (text: string) => boolean;
}

/** An answer that is older than what was promised. */
export interface Breach {
  readonly key: Key;
  readonly by: number;
  readonly got: number;
  readonly least: number;
  readonly step: number;
}

/** One schedule: caches on wires of their own, what they were asked, and what the origin had come to. */
export class World {
  readonly breaches: Breach[] = [];
  /** What happened, for whoever must find out why. */
  readonly story: string[] = [];
  /** What was proved: how many answers had a change before them that they could have missed. */
  checked = 0;
  published = 0;
  readonly #exchange: Exchange;
  readonly #leave: () => void;
  readonly #wires: Wire[];
  readonly #caches: Cache[];
  #changes: Change[] = [];
  readonly #loads: (() => void)[] = [];
  /** The names of all leases that were asked for. */
  readonly #leases = new Set<string>();
  readonly #giveUp = new AbortController();
  readonly #reading = new Set<Promise<void>>();
  readonly #writing = new Set<Promise<void>>();
  readonly #origin = new Map<Key, number>();
  /** The versions of the namespace in the order in which the server has moved to them. */
  readonly #versions: number[] = [0];
  #number = 0;
  #moves = 0;
  /** The server was asked for something since all was quiet. */
  #asked = false;
  #step = 0;

  constructor(exchange: Exchange, options: Partial<CacheOptions> = {}) {
    this.#exchange = exchange;
    const { prefix, leave } = exchange.join((word) => this.#hear(word));
    this.#leave = leave;
    const world = this;
    const behind = {
      execute: (command: string, args: readonly unknown[]) => {
        this.#asked = true;
        for (const arg of args.flat()) if (typeof arg === 'string' && arg.endsWith(':lease')) this.#leases.add(arg);
        return exchange.execute(command, args);
      },
      moved: () => {
        this.#moves += 1;
      },
      get published() {
        return world.published;
      },
    };
    this.#wires = Array.from({ length: processes }, () => new Wire(behind));
    // Nothing here is to happen by time: the schedule says what happens.
    const times = {
      ttl: '1h',
      heartbeat: '20s',
      lease: '40s',
      redisTimeout: '1m',
      loadTimeout: '1m',
      local: { trust: '1m' },
    } as const;
    this.#caches = this.#wires.map(
      ({ client }) => new Cache({ redis: client, prefix, early: 0, ...times, ...options }),
    );
  }

  async play(steps: readonly Step[]): Promise<void> {
    await this.#quiet();
    for (const [index, step] of steps.entries()) {
      this.#step = index;
      this.story.push(`${index}: ${Object.values(step).join(' ')}`);
      this.#take(step);
      await this.#quiet();
      this.#changes = this.#changes.filter(({ failed, said }) => !failed || said !== undefined);
    }
    await this.#end();
  }

  /** How many answers came from the memory of a process. */
  get remembered(): number {
    return this.#caches.reduce((sum, cache) => sum + cache.stats().hits.local, 0);
  }

  async close(): Promise<void> {
    this.#giveUp.abort();
    for (const wire of this.#wires) for (const way of ways) wire.flow(way);
    await Promise.all(this.#caches.map((cache) => cache.stop()));
    this.#leave();
  }

  #take(step: Step): void {
    if (step.do === 'loaded') {
      this.#loads.shift()?.();
      return;
    }
    const wire = this.#wires[step.by] as Wire;
    if (step.do === 'get') this.#get(step.by, step.key, step.slow);
    else if (step.do === 'set' || step.do === 'delete') this.#write(step.do, step.by, step.key);
    else if (step.do === 'invalidate') this.#invalidate(step.by, step.tags);
    else if (step.do === 'clear') this.#clear(step.by);
    else if (step.do === 'move') this.#move(step.by);
    else if (step.do === 'break') wire.break(step.reached);
    else if (step.do === 'deafen') wire.deafen();
    else if (step.do === 'mend') this.#mend(wire);
    else if (step.do === 'hold') wire.hold(step.way);
    else if (step.do === 'flow') wire.flow(step.way);
    else wire.advance(step.way);
  }

  #mend(wire: Wire): void {
    if (!wire.connected || !wire.listening) wire.mend();
  }

  /** All that is held is let go; then every process is asked for every key, and must know of every change. */
  async #end(): Promise<void> {
    for (const wire of this.#wires) {
      for (const way of ways) wire.flow(way);
      this.#mend(wire);
    }
    await this.#quiet();
    while (this.#loads.length > 0) {
      this.#loads.shift()?.();
      await this.#quiet();
    }
    // Whose lease was never given back keeps others waiting until it ends by itself.
    await this.#exchange.forget([...this.#leases]);
    this.#giveUp.abort();
    await Promise.all([...this.#reading, ...this.#writing]);
    this.#step = Number.POSITIVE_INFINITY;
    for (const key of keys) {
      for (const by of this.#caches.keys()) this.#get(by, key, false, false);
      await this.#quiet();
    }
    await Promise.all(this.#reading);
  }

  #get(by: number, key: Key, slow: boolean, mayGiveUp = true): void {
    const cache = this.#caches[by] as Cache;
    const step = this.#step;
    const least = this.#least(by, key);
    const wire = this.#wires[by] as Wire;
    const breaks = wire.reachable ? wire.breaks : Number.NaN;
    const options = { ...(mayGiveUp && { signal: this.#giveUp.signal }) };
    const paced = async <T>(value: T): Promise<T> => {
      if (slow) await new Promise<void>((resolve) => this.#loads.push(resolve));
      return value;
    };
    const answer =
      key === 'space'
        ? cache.namespace('space').get(key, ({ version }) => paced(Number(version)), options)
        : cache.get(
            key,
            (context) => {
              if (key === 'late') context.keep({ tags: ['a'] });
              return paced(this.#origin.get(key) ?? 0);
            },
            { ...options, tags: key === 'late' ? [] : tagsOf[key] },
          );
    const check = (got: number): void => {
      this.checked += least.sure > 0 ? 1 : 0;
      const reached = key === 'space' ? this.#versions.indexOf(got) : got;
      // A process that has been cut off from everything gives what it has, for as long as it is trusted.
      const promised = wire.breaks === breaks ? least.asked : least.sure;
      this.story.push(`   ${by} gets ${reached} for ${key}, asked for at ${step}; promised: ${promised}`);
      if (reached >= promised) return;
      this.breaches.push({ key, by, got: reached, least: promised, step });
      this.story.push('   which is a breach');
    };
    const reading = answer.then(check, () => {}).finally(() => this.#reading.delete(reading));
    this.#reading.add(reading);
  }

  /** What an answer to this process must not be older than: for sure, and if it can ask the server. */
  #least(by: number, key: Key): { readonly sure: number; readonly asked: number } {
    const wire = this.#wires[by] as Wire;
    const about = this.#changes.filter((change) => change.keys.includes(key));
    const last = (known: (change: Change) => boolean): number =>
      about.filter(known).reduce((most, change) => Math.max(most, this.#reached(key, change)), 0);
    const sure = last(
      ({ by: other, done, said }) => (other === by && done) || (said !== undefined && wire.heard.has(said)),
    );
    const missed = wire.listening ? wire.listensSince : Number.POSITIVE_INFINITY;
    const asked = last(({ said }) => said !== undefined && said <= missed);
    return { sure, asked: Math.max(sure, asked) };
  }

  #reached(key: Key, { value }: Change): number {
    return key === 'space' ? this.#versions.indexOf(value) : value;
  }

  #write(how: 'set' | 'delete', by: number, key: Exclude<Key, 'space'>): void {
    if (this.#open([key])) return;
    const cache = this.#caches[by] as Cache;
    const value = this.#next([key]);
    this.#change(
      how,
      by,
      [key],
      value,
      (text) => text.startsWith('k') && text.endsWith(` ${key}`),
      () => (how === 'set' ? cache.set(key, value, { tags: tagsOf[key] }) : cache.delete(key)),
    );
  }

  /** Whoever writes a value while others change it cannot know which comes last: nobody does that here. */
  #open(about: readonly Key[], how?: 'set'): boolean {
    return this.#changes.some(
      (change) =>
        !change.done &&
        !change.failed &&
        change.said === undefined &&
        (how === undefined || change.how === how) &&
        change.keys.some((key) => about.includes(key)),
    );
  }

  #invalidate(by: number, tags: readonly ('a' | 'b')[]): void {
    const concerned = keys.filter((key) => key !== 'space' && tagsOf[key].some((tag) => tags.includes(tag)));
    if (this.#open(concerned, 'set')) return;
    const value = this.#next(concerned);
    const mark = `mark-${value}`;
    this.#change(
      'invalidate',
      by,
      concerned,
      value,
      (text) => text.startsWith('t') && text.includes(`"${mark}"`),
      () => (this.#caches[by] as Cache).invalidate({ tags: [...tags, mark] }),
    );
  }

  #clear(by: number): void {
    // A namespace has its version, which that does not change.
    const concerned = keys.filter((key) => key !== 'space');
    if (this.#open(concerned, 'set')) return;
    const clearing = (): Promise<void> => (this.#caches[by] as Cache).clear();
    this.#change('clear', by, concerned, this.#next(concerned), (text) => /^c\d/.test(text), clearing);
  }

  #move(by: number): void {
    const value = this.#next(['space']);
    const moving = (): Promise<void> => (this.#caches[by] as Cache).namespace('space').moveTo(String(value));
    this.#change('move', by, ['space'], value, (text) => text.startsWith('v') && text.includes(`"${value}"`), moving);
  }

  #change(
    how: Change['how'],
    by: number,
    about: readonly Key[],
    value: number,
    isSaidBy: Change['isSaidBy'],
    work: () => Promise<void>,
  ): void {
    const change: Change = { how, by, keys: about, value, done: false, failed: false, said: undefined, isSaidBy };
    this.#changes.push(change);
    const over = (): void => {
      this.story.push(`   change ${value} of ${by} is done`);
      change.done = true;
    };
    const failed = (): void => {
      change.failed = true;
    };
    const writing = work()
      .then(over, failed)
      .finally(() => this.#writing.delete(writing));
    this.#writing.add(writing);
  }

  #next(about: readonly Key[]): number {
    this.#number += 1;
    for (const key of about) this.#origin.set(key, this.#number);
    return this.#number;
  }

  #hear(word: Word): void {
    this.published += 1;
    const change = this.#changes.find(({ said, isSaidBy }) => said === undefined && isSaidBy(word.text));
    if (change) {
      change.said = this.published;
      this.story.push(`   change ${change.value} of ${change.by} is word ${change.said}`);
      if (change.keys.includes('space')) this.#versions.push(change.value);
    }
    for (const wire of this.#wires) wire.told(word);
  }

  /** Until nothing moves any more that is not held. */
  async #quiet(): Promise<void> {
    let before: number;
    do {
      before = this.#moves;
      if (this.#asked) {
        this.#asked = false;
        await this.#exchange.settled();
      }
      await setImmediate();
      await setImmediate();
    } while (this.#moves !== before);
  }
}
