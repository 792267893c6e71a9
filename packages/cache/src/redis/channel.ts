import type { Socket } from 'node:net';
import { type Backoff, backoff } from '@quorate/core';
import type { Redis } from 'ioredis';
import { type Link, silence } from './link.ts';
import { type Message, parseMessage } from './message.ts';
import type { Node } from './nodes.ts';

/** What the channel tells the cache. */
export interface Listener {
  /** Heard again after a gap: whatever was said in between was missed. */
  gap(): void;
  /** All that was said on this node before this moment of our clock has arrived. */
  heard(node: Node, at: number): void;
  /** The connection is gone: things may be said from now on that do not arrive. */
  lost(): void;
  told(message: Message): void;
  /** Somebody has answered a beat, or nobody. */
  beat(answered: boolean): void;
}

interface Beat {
  readonly node: Node;
  readonly sent: number;
}

/**
 * Hears what other processes change, on a connection of its own. At each beat it sends itself a message by way of each
 * primary, on the connection that the cache writes on: when that arrives, so has all that was said there before it. A
 * connection that swallows what it is given is found out like this, and so is one to a server that no longer is a primary.
 */
export class Channel {
  readonly #link: Link;
  readonly #channel: string;
  readonly #own: string;
  readonly #every: number;
  readonly #listener: Listener;
  readonly #delays: Backoff;
  readonly #beats = new Map<string, Beat>();
  /** When word from anybody came last, or this connection was made. */
  #heardAt = 0;
  #subscriber: Redis | undefined;
  #subscribed = false;
  #retry: NodeJS.Timeout | undefined;
  #timer: NodeJS.Timeout | undefined;
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
    this.#timer = setInterval(() => this.#beat(), this.#every).unref();
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
    this.#beat();
    if (this.#subscriber === undefined) this.#subscribe();
  };

  #subscribe(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    if (this.#closed) return;
    const subscriber = subscriberOf(this.#link);
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
        this.#heardAt = performance.now();
        this.#delays.reset();
        this.#listener.gap();
        // Also where a beat is under way: that one left before anything could be heard.
        this.#beat(true);
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
    const beat = channel === this.#own ? this.#beats.get(text) : undefined;
    if (beat === undefined) {
      const message = parseMessage(text);
      if (message) this.#listener.told(message);
      return;
    }
    const { node, sent } = beat;
    this.#heardAt = performance.now();
    for (const [name, other] of this.#beats) if (other.node === node && other.sent <= sent) this.#beats.delete(name);
    this.#listener.heard(node, sent);
  }

  /**
   * Asks every primary for its time, and sends a word to ourselves by way of it. One that hangs holds up no other, and is
   * not asked again before it has answered, unless that is what `again` says.
   */
  #beat(again = false): void {
    if (this.#closed) return;
    this.#dropDeafSubscriber(performance.now());
    if (this.#link.redis.status !== 'ready') {
      this.#listener.beat(false);
      return;
    }
    const all = this.#link.nodes.all();
    const there = new Set(all.map(({ node }) => node));
    for (const [name, { node }] of this.#beats) if (!there.has(node)) this.#beats.delete(name);
    const due = again ? all : all.filter(({ node }) => !node.beating);
    if (due.length === 0) return;
    Promise.any(due.map(({ node, client }) => this.#beatOf(node, client))).then(
      () => this.#listener.beat(true),
      () => this.#listener.beat(false),
    );
  }

  async #beatOf(node: Node, client: Redis): Promise<void> {
    const sent = performance.now();
    node.beating = true;
    try {
      if (this.#subscribed) {
        this.#number += 1;
        const beat = `b${this.#number}`;
        this.#beats.set(beat, { node, sent });
        client.publish(this.#own, beat).catch(() => {});
      }
      const time = await this.#link.ask(node, () => client.time());
      if (time === silence) throw new Error('no answer');
      const [seconds, microseconds] = time.map(Number) as [number, number];
      const received = performance.now();
      this.#link.answered(node, { sent, received, time: seconds * 1_000 + microseconds / 1_000 });
    } finally {
      node.beating = false;
    }
  }

  /** Nothing comes through although it was sent: this connection leads nowhere, or to a server of the past. */
  #dropDeafSubscriber(now: number): void {
    const [oldest] = this.#beats.values();
    const late = now - 4 * this.#every;
    if (oldest !== undefined && oldest.sent < late && this.#heardAt < late && this.#subscriber)
      this.#over(this.#subscriber);
  }
}

/** A connection like the client's own, which ends instead of coming back by itself. */
function subscriberOf({ redis, nodes }: Link): Redis | undefined {
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
  const all = nodes.all();
  const answering = all.filter(({ node }) => !node.away);
  const among = answering.length > 0 ? answering : all;
  return among[Math.floor(Math.random() * among.length)]?.client.duplicate(options);
}
