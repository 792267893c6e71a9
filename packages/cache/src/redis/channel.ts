import type { Socket } from 'node:net';
import { type Backoff, backoff } from '@quorate/core';
import type { Cluster, Redis } from 'ioredis';
import { type Link, silence } from './link.ts';
import { type Message, parseMessage } from './message.ts';

/** What the channel tells the cache. */
export interface Listener {
  /** Heard again after a gap: whatever was said in between was missed. */
  gap(): void;
  /** All that was said before this moment of our clock has arrived. */
  heard(at: number): void;
  /** The connection is gone: things may be said from now on that do not arrive. */
  lost(): void;
  told(message: Message): void;
  /** Redis has answered, or has not, at the end of a beat. */
  beat(answered: boolean): void;
}

/**
 * Hears what other processes change, on a connection of its own. At each beat it sends itself a message through the
 * connection that the cache writes on: when that arrives, so has all that was said before it. A connection that swallows
 * what it is given is found out like this, and so is one to a server that no longer is the primary.
 */
export class Channel {
  readonly #link: Link;
  readonly #channel: string;
  readonly #own: string;
  readonly #every: number;
  readonly #listener: Listener;
  readonly #delays: Backoff;
  readonly #beats = new Map<string, number>();
  #subscriber: Redis | undefined;
  #subscribed = false;
  #retry: NodeJS.Timeout | undefined;
  #timer: NodeJS.Timeout | undefined;
  #beating = false;
  #number = 0;
  #closed = false;

  constructor(
    link: Link,
    names: { readonly channel: string; readonly own: string },
    every: number,
    listener: Listener,
  ) {
    this.#link = link;
    this.#channel = names.channel;
    this.#own = names.own;
    this.#every = every;
    this.#listener = listener;
    this.#delays = backoff({ min: 50, max: Math.max(50, 2 * every) });
  }

  get subscribed(): boolean {
    return this.#subscribed;
  }

  open(): void {
    this.#timer = setInterval(() => void this.#beat(), this.#every).unref();
    this.#link.redis.on('ready', this.#ready);
    if (this.#link.redis.status === 'ready') this.#ready();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#retry);
    this.#link.redis.removeListener('ready', this.#ready);
    this.#leave();
  }

  readonly #ready = (): void => {
    void this.#beat();
    if (this.#subscriber === undefined) this.#subscribe();
  };

  #subscribe(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    if (this.#closed) return;
    const subscriber = subscriberOf(this.#link.redis);
    if (subscriber === undefined) {
      this.#later();
      return;
    }
    this.#subscriber = subscriber;
    const over = (): void => this.#over(subscriber);
    // What went wrong is followed by the end, and that is what counts.
    subscriber.on('error', () => {});
    subscriber.on('end', over);
    // The cache keeps no process alive: whoever still has a use for Redis does, with its own connection.
    subscriber.on('connect', () => (subscriber as unknown as { stream?: Socket }).stream?.unref?.());
    subscriber.on('message', (channel, text) => {
      if (this.#subscriber === subscriber) this.#hear(channel, text);
    });
    subscriber
      .connect()
      .then(() => subscriber.subscribe(this.#channel, this.#own))
      .then(() => {
        if (this.#subscriber !== subscriber) return;
        this.#subscribed = true;
        this.#delays.reset();
        this.#listener.gap();
        void this.#beat();
      })
      .catch(over);
  }

  #over(subscriber: Redis): void {
    if (this.#subscriber !== subscriber) return;
    this.#leave();
    this.#listener.lost();
    this.#later();
  }

  #later(): void {
    if (this.#closed || this.#retry !== undefined) return;
    this.#retry = setTimeout(() => this.#subscribe(), this.#delays.next()).unref();
  }

  #leave(): void {
    const subscriber = this.#subscriber;
    this.#subscriber = undefined;
    this.#subscribed = false;
    this.#beats.clear();
    subscriber?.disconnect();
  }

  #hear(channel: string, text: string): void {
    const sent = channel === this.#own ? this.#beats.get(text) : undefined;
    if (sent === undefined) {
      const message = parseMessage(text);
      if (message) this.#listener.told(message);
      return;
    }
    for (const [beat, at] of this.#beats) if (at <= sent) this.#beats.delete(beat);
    this.#listener.heard(sent);
  }

  /** Asks Redis for its time, and sends a word to ourselves. */
  async #beat(): Promise<void> {
    if (this.#beating || this.#closed) return;
    this.#beating = true;
    const sent = performance.now();
    this.#dropDeafSubscriber(sent);
    const { redis } = this.#link;
    try {
      if (redis.status !== 'ready') return this.#listener.beat(false);
      if (this.#subscribed) {
        this.#number += 1;
        const beat = `b${this.#number}`;
        this.#beats.set(beat, sent);
        redis.publish(this.#own, beat).catch(() => {});
      }
      const time = await this.#link.ask(() => redis.time());
      if (time !== silence) {
        const [seconds, microseconds] = time;
        this.#link.answered(sent, performance.now(), Number(seconds) * 1_000 + Number(microseconds) / 1_000);
      }
      this.#listener.beat(time !== silence);
    } catch {
      this.#listener.beat(false);
    } finally {
      this.#beating = false;
    }
  }

  /** Nothing comes through although Redis answers: this connection leads nowhere, or to a server of the past. */
  #dropDeafSubscriber(now: number): void {
    const [oldest] = this.#beats.values();
    if (oldest !== undefined && now - oldest > 4 * this.#every && this.#subscriber) this.#over(this.#subscriber);
  }
}

/** A connection like the client's own, which ends instead of coming back by itself. */
function subscriberOf(redis: Redis | Cluster): Redis | undefined {
  const options = {
    lazyConnect: true,
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
    reconnectOnError: null,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    commandTimeout: 5_000,
    readOnly: false,
  };
  if (!('nodes' in redis)) return redis.duplicate(options);
  const nodes = redis.nodes('master');
  return nodes[Math.floor(Math.random() * nodes.length)]?.duplicate(options);
}
