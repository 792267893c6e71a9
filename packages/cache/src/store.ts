import { randomBytes } from 'node:crypto';
import { Allowance } from './allowance.ts';
import { Coherence } from './coherence/coherence.ts';
import { linkChanges } from './diagnostics.ts';
import { Flights, type Flying } from './flights.ts';
import { Leases } from './leases.ts';
import { LocalEntry } from './local/local-entry.ts';
import { LocalTier } from './local/local-tier.ts';
import type { Settings } from './options.ts';
import { Origin } from './origin.ts';
import { Parcel } from './parcel.ts';
import { Channel } from './redis/channel.ts';
import type { Envelope } from './redis/envelope.ts';
import { KeyNames } from './redis/key-names.ts';
import { Link } from './redis/link.ts';
import type { Message } from './redis/message.ts';
import { Counters } from './stats.ts';
import { Waiting } from './waiting.ts';

/** By so much, in milliseconds, the clocks of Redis servers that replace one another may differ. */
const future = 60_000;

/** What an entry takes beside its value: the object, its place in the map and in the row. */
const overhead = 200;

/** What a tag of an entry takes beside its characters. */
const tagOverhead = 24;

/** Remembered of fencing tokens: for longer than any ex-leader may sleep. */
export const fenceLife: number = 7 * 86_400_000;

/** Remembered of writes under a token, and of moves: for longer than anybody waits for the answer to one, see `redisTimeout`. */
export const doneLife = (redisTimeout: number): number => 60_000 + 2 * redisTimeout;

/** When a value ends, by the clock of this process, and when it is time to load it anew. */
export interface Times {
  readonly freshUntil: number;
  readonly staleUntil: number;
  readonly refreshAt: number;
}

/** What an entry is of: a key of the cache, or one of a namespace at a version. */
interface Place {
  readonly key: string;
  readonly version: string | undefined;
}

/** All that one cache holds: what it knows, whom it talks to, and what is under way. */
export class Store<Flight extends Flying = Flying> {
  readonly settings: Settings;
  readonly id: string = newName();
  /** Under this name it tells of its writes. */
  sender: string = newName();
  readonly names: KeyNames;
  readonly link: Link;
  readonly local: LocalTier | undefined;
  readonly coherence: Coherence;
  readonly origin: Origin;
  readonly parcel: Parcel;
  readonly counters: Counters = new Counters();
  readonly flights: Flights<Flight> = new Flights();
  readonly leases: Leases;
  readonly waiting: Waiting = new Waiting();
  closed = false;
  /** What is bound to it ends with the cache. */
  readonly life: Allowance = new Allowance(Infinity, 'the cache');
  /** Whether what was asked for last was not in Redis. */
  missed = false;
  readonly #channel: Channel;
  /** This process draws otherwise than the others. */
  readonly #salt = Math.trunc(Math.random() * 2 ** 32);
  #answers: boolean | undefined;

  constructor(settings: Settings) {
    this.settings = settings;
    const { redis, prefix, local, heartbeat, redisTimeout, lease } = settings;
    this.names = new KeyNames(prefix, redis.options.keyPrefix ?? '');
    this.link = new Link(redis, this.names.clock, redisTimeout, this.counters.redis, () => this.#redisIs(false));
    const evicted = (): void => {
      this.counters.evictions += 1;
    };
    this.local = local && new LocalTier(local.maxItems, local.maxBytes, evicted);
    this.coherence = new Coherence(this.link, this.names, 3 * heartbeat, local?.trust ?? 0);
    this.leases = new Leases(this.link, lease);
    this.origin = new Origin(settings, this.counters);
    this.parcel = new Parcel(settings);
    const names = { channel: this.names.channel, own: this.names.processChannel(this.id) };
    this.#channel = new Channel(this.link, names, heartbeat, {
      gap: () => this.#gap(),
      heard: (node, at) => this.coherence.heard(node, at),
      lost: () => this.#lost(),
      told: (message) => this.#told(message),
      beat: (answered) => this.#beat(answered),
    });
  }

  open(): void {
    this.#channel.open();
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
        tagging: this.coherence.tagging(tags, clock),
        freshUntil,
        staleUntil: Math.min(Math.trunc(times.staleUntil), limit),
        readyUntil: Math.min(Math.trunc(times.refreshAt), freshUntil),
        since,
        bytes: tags.reduce((sum, tag) => sum + tag.length + tagOverhead, bytes + key.length + overhead),
      }),
    );
  }

  /** The same for what came from Redis. */
  adoptEnvelope(place: Place, value: unknown, bytes: number, envelope: Envelope, now: number): void {
    if (this.local === undefined) return;
    const { tags, clock } = envelope;
    const ahead = this.link.serverTime(now) - now;
    const times = {
      freshUntil: envelope.freshUntil - ahead,
      staleUntil: envelope.staleUntil - ahead,
      refreshAt: this.refreshAt(envelope) - ahead,
    };
    this.adopt(place, value, bytes, tags, clock, times);
  }

  /**
   * XFetch: when this process will load a value anew, some load times before its end. It draws once for each value, so
   * that the first of many does, a little early, and the others find what it has loaded.
   */
  refreshAt({ freshUntil, loadMs, absent, dice }: Pick<Envelope, 'freshUntil' | 'loadMs' | 'absent' | 'dice'>): number {
    if (absent || this.settings.early === 0) return freshUntil;
    return freshUntil + Math.max(1, loadMs) * this.settings.early * Math.log(chance(dice ^ this.#salt));
  }

  /** A write of ours may be done later than we think: word of it is to count like that of others. */
  unanswered(): void {
    this.sender = newName();
  }

  /** From now on nobody joins this key's flight, and nothing from before is kept in this process. */
  supersede(key: string): void {
    this.local?.delete(key);
    this.flights.supersede(key);
  }

  /** Everything, too. */
  supersedeAll(): void {
    this.local?.clear();
    this.flights.supersedeAll();
  }

  /** What this process has under any of these tags, and whatever it is bringing. */
  forgetTagged(tags: readonly string[]): void {
    this.flights.supersedeAll();
    for (const entry of [...(this.local ?? [])]) {
      if (entry.tagging?.tags.some((tag) => tags.includes(tag))) this.local?.delete(entry.key);
    }
  }

  async close(reason: unknown): Promise<void> {
    this.closed = true;
    this.life.abort(reason);
    // Their leases are given back, so that nobody elsewhere waits for us.
    await this.flights.end(reason);
    this.#channel.close();
    this.link.close();
    this.local?.clear();
    this.coherence.lost();
  }

  #gap(): void {
    this.supersedeAll();
    this.coherence.gap();
    this.waiting.wakeAll();
  }

  #lost(): void {
    this.coherence.lost();
    this.flights.supersedeAll();
    this.waiting.wakeAll();
  }

  #told(message: Message): void {
    if (this.#isOfTheFuture(message)) {
      // Anybody may publish on a channel, and what is from the future would count more than all that comes. But it may as well
      // be true: the clock of the server may have been set back, or another have taken over. Redis itself knows what happened.
      this.#gap();
    } else if (message.kind === 'wake') {
      this.waiting.wake(message.key);
    } else if (message.kind === 'key') {
      // Our own writes have been seen to already; this is older than what may have come since.
      if (message.sender !== this.sender) this.supersede(message.key);
    } else if (message.kind === 'clear') {
      this.coherence.toldClear(message.clock);
      this.supersedeAll();
    } else if (message.kind === 'version') {
      this.coherence.versions.told(message.namespace, message.number, message.version);
    } else {
      this.coherence.told(message.clock, message.tags);
    }
  }

  #isOfTheFuture(message: Message): boolean {
    const at = 'clock' in message ? message.clock : 'number' in message ? message.number : 0;
    return at / 1_000 > this.link.serverTime(performance.now()) + future;
  }

  #beat(answered: boolean): void {
    this.#redisIs(answered);
    if (answered) this.leases.renew();
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

const newName = (): string => randomBytes(9).toString('base64url');

/** A number above 0, up to 1, that looks like chance and is the same for the same whole number: the end of MurmurHash3. */
function chance(number: number): number {
  let mixed = Math.imul(number ^ (number >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return (((mixed ^ (mixed >>> 16)) >>> 0) + 1) / 2 ** 32;
}
