import { randomBytes } from 'node:crypto';
import { linkChanges } from './diagnostics.ts';
import { longestLife } from './duration.ts';
import type { Flight } from './flight.ts';
import { LocalEntry } from './local/local-entry.ts';
import { LocalTier } from './local/local-tier.ts';
import type { Settings } from './options.ts';
import { Origin } from './origin.ts';
import { Parcel } from './parcel.ts';
import { Channel } from './redis/channel.ts';
import type { Envelope } from './redis/envelope.ts';
import { KeyNames, leaseOf } from './redis/key-names.ts';
import { Link } from './redis/link.ts';
import type { Message } from './redis/message.ts';
import { renew } from './redis/scripts.ts';
import { TagClock } from './redis/tag-clock.ts';
import { Versions } from './redis/versions.ts';
import { Counters } from './stats.ts';

/** What an entry takes beside its value: the object, its place in the map and in the row. */
const overhead = 200;

/** With this many load times before its end a value may be refreshed early; before that, chance hardly ever says so. */
const earliest = 8;

/** Remembered of fencing tokens: for longer than any ex-leader may sleep. */
export const fenceLife: number = 7 * 86_400_000;

/** Remembered of writes that were done: for longer than anybody waits for the answer to one, see `redisTimeout`. */
export const doneLife = (redisTimeout: number): number => 60_000 + 2 * redisTimeout;

/** When a value ends, by the clock of this process. */
export interface Times {
  readonly freshUntil: number;
  readonly staleUntil: number;
  readonly loadMs: number;
  readonly absent: boolean;
}

/** What an entry is of: a key of the cache, or one of a namespace at a version. */
interface Place {
  readonly key: string;
  readonly version: string | undefined;
}

interface Waiter {
  wake(): void;
}

/** All that one cache holds: what it knows, whom it talks to, and what is under way. */
export class Store {
  readonly settings: Settings;
  readonly id: string = randomBytes(9).toString('base64url');
  readonly names: KeyNames;
  readonly link: Link;
  readonly local: LocalTier | undefined;
  readonly tags: TagClock;
  readonly versions: Versions;
  readonly origin: Origin;
  readonly parcel: Parcel;
  readonly counters: Counters = new Counters();
  /** Whom callers join. */
  readonly flights: Map<string, Flight> = new Map();
  /** What is loaded anew while callers get what there is. */
  readonly refreshes: Map<string, Flight> = new Map();
  /** All that has not ended, also what nobody joins any more. */
  readonly underWay: Set<Flight> = new Set();
  closed = false;
  /** Until then what is in the local tier is good: all that anybody changed has been heard. */
  heardUntil = 0;
  readonly #channel: Channel;
  readonly #held = new Map<string, string>();
  /** Who waits for another's load, by key. */
  readonly #waiting = new Map<string, Set<Waiter>>();
  #heardAt = Number.NEGATIVE_INFINITY;
  #answers: boolean | undefined;

  constructor(settings: Settings) {
    this.settings = settings;
    const { redis, prefix, local, heartbeat } = settings;
    this.names = new KeyNames(prefix, redis.options.keyPrefix ?? '');
    this.link = new Link(redis, settings.redisTimeout, this.counters.redis, () => this.#redisIs(false));
    const evicted = (): void => {
      this.counters.evictions += 1;
    };
    this.local = local && new LocalTier(local.maxItems, local.maxBytes, evicted);
    this.tags = new TagClock(this.link, this.names, 2 * longestLife);
    this.versions = new Versions(this.link, this.names);
    this.origin = new Origin(settings.origin, () => {
      this.counters.refusedLoads += 1;
    });
    this.parcel = new Parcel(settings);
    const names = { channel: this.names.channel, own: this.names.processChannel(this.id) };
    this.#channel = new Channel(this.link, names, heartbeat, {
      gap: () => this.#gap(),
      heard: (at) => this.#heard(at),
      lost: () => this.#lost(),
      told: (message) => this.#told(message),
      beat: (answered) => this.#beat(answered),
    });
  }

  open(): void {
    this.#channel.open();
  }

  /** Whether a local entry may be given out: its word is good, or Redis is away and it is not too old to be trusted. */
  vouches(entry: LocalEntry, now: number): boolean {
    const { tagging } = entry;
    if (now < this.heardUntil) {
      if (tagging === undefined || tagging.checkedAt === this.tags.learnt) return true;
      if (this.tags.valid(tagging.tags, tagging.clock) !== true) return false;
      tagging.checkedAt = this.tags.learnt;
      return true;
    }
    if (!this.link.away) return false;
    const trust = this.settings.local?.trust ?? 0;
    if (now >= Math.max(this.#heardAt, entry.since) + trust) return false;
    return tagging === undefined || this.tags.valid(tagging.tags, tagging.clock) !== false;
  }

  /** Keeps a value in this process, for as long as it and the local tier's own limit allow. */
  adopt(place: Place, value: unknown, bytes: number, tags: readonly string[], clock: number, times: Times): void {
    const { local } = this.settings;
    if (this.local === undefined || local === undefined) return;
    const { key, version } = place;
    const since = Math.trunc(performance.now());
    const limit = since + local.ttl;
    const freshUntil = Math.min(Math.trunc(times.freshUntil), limit);
    this.local.set(
      new LocalEntry({
        key,
        version,
        value,
        tagging: tags.length === 0 ? undefined : { tags, clock, checkedAt: -1 },
        freshUntil,
        staleUntil: Math.min(Math.trunc(times.staleUntil), limit),
        readyUntil: freshUntil - this.earlySpan(times.loadMs, times.absent),
        since,
        bytes: bytes + key.length + overhead,
      }),
    );
  }

  /** The same for what came from Redis. */
  adoptEnvelope(place: Place, value: unknown, bytes: number, envelope: Envelope, now: number): void {
    if (this.local === undefined) return;
    const { tags, clock, loadMs, absent } = envelope;
    const ahead = this.link.serverTime(now) - now;
    const times = { freshUntil: envelope.freshUntil - ahead, staleUntil: envelope.staleUntil - ahead, loadMs, absent };
    this.adopt(place, value, bytes, tags, clock, times);
  }

  /**
   * XFetch: the nearer the end and the longer a load takes, the likelier it is that somebody refreshes now, and so few do
   * at once. `span` is for how long before its end that may happen at all.
   */
  drawEarly(now: number, freshUntil: number, span: number): boolean {
    return span > 0 && now - (span / earliest) * Math.log(Math.random()) >= freshUntil;
  }

  earlySpan(loadMs: number, absent: boolean): number {
    return absent ? 0 : Math.ceil(Math.max(1, loadMs) * this.settings.early * earliest);
  }

  /** From now on nobody joins this key's flight, and what it brings is not kept in this process. */
  supersede(key: string): void {
    this.local?.delete(key);
    for (const flights of [this.flights, this.refreshes]) {
      const flight = flights.get(key);
      if (flight === undefined) continue;
      flight.dirty = true;
      flights.delete(key);
    }
  }

  supersedeAll(): void {
    for (const flights of [this.flights, this.refreshes]) {
      for (const flight of flights.values()) flight.dirty = true;
      flights.clear();
    }
  }

  /** What this process has under any of these tags. */
  forgetTagged(tags: readonly string[]): void {
    for (const entry of [...(this.local ?? [])]) {
      if (entry.tagging?.tags.some((tag) => tags.includes(tag))) this.local?.delete(entry.key);
    }
  }

  /** The lease is renewed at each beat until it is let go. */
  hold(entry: string, held: string): void {
    this.#held.set(entry, held);
  }

  letGo(entry: string): void {
    this.#held.delete(entry);
  }

  holds(entry: string, held: string): boolean {
    return this.#held.get(entry) === held;
  }

  /** Told when there is something to look at for this key, until it is disposed of. */
  waitInLine(key: string, waiter: Waiter): Disposable {
    const line = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, line.add(waiter));
    return {
      [Symbol.dispose]: () => {
        line.delete(waiter);
        if (line.size === 0 && this.#waiting.get(key) === line) this.#waiting.delete(key);
      },
    };
  }

  async close(reason: unknown): Promise<void> {
    this.closed = true;
    const ending = [...this.underWay];
    for (const flight of ending) flight.abort(reason);
    // Their leases are given back, so that nobody elsewhere waits for us.
    await Promise.allSettled(ending.map(({ result }) => result));
    this.#channel.close();
    this.link.close();
    this.local?.clear();
    this.heardUntil = 0;
  }

  get channelOpen(): boolean {
    return this.#channel.subscribed;
  }

  #gap(): void {
    this.local?.clear();
    this.supersedeAll();
    this.tags.hearing = true;
    this.versions.hearing = true;
    // So that what is loaded from now on is not taken for older than it is.
    void this.tags.prepare([]);
  }

  #lost(): void {
    this.heardUntil = 0;
    this.supersedeAll();
    this.tags.hearing = false;
    this.versions.hearing = false;
  }

  #heard(at: number): void {
    this.#heardAt = at;
    this.heardUntil = at + 3 * this.settings.heartbeat;
  }

  #told(message: Message): void {
    if (message.kind === 'wake') {
      for (const waiter of this.#waiting.get(message.key) ?? []) waiter.wake();
    } else if (message.kind === 'key') {
      // Our own writes have been seen to already; this is older than what may have come since.
      if (message.sender !== this.id) this.supersede(message.key);
    } else if (message.kind === 'version') {
      this.versions.told(message.namespace, message.number, message.version);
    } else {
      this.tags.told(message.clock, message.tags);
      // Which of them will have these tags is not known before they end. The lease still keeps each key to one load.
      this.supersedeAll();
    }
  }

  #beat(answered: boolean): void {
    this.#redisIs(answered);
    if (!answered) return;
    for (const [entry, held] of this.#held) {
      void this.link.run(renew, [leaseOf(entry)], [held, String(this.settings.lease)]).catch(() => {});
    }
  }

  #redisIs(answering: boolean): void {
    if (this.#answers === answering) return;
    if (!answering) this.counters.redisSilences += 1;
    this.#answers = answering;
    if (linkChanges.hasSubscribers) {
      linkChanges.publish({ cache: this.settings.prefix, redis: answering ? 'answers' : 'away' });
    }
  }
}
