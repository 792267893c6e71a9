import { deadline, InvalidArgumentError } from '@quorate/core';
import { StreamClosedError } from '../../errors/stream-closed-error.ts';
import type { Appender } from '../appender.ts';
import type { Driver } from '../driver.ts';
import type { GroupReader, GroupReaderEvents, GroupReaderOptions } from '../group-reader.ts';
import type { PartitionReader, PartitionReaderEvents, PartitionReaderOptions } from '../partition-reader.ts';
import type { ConnectionSettings } from '../settings.ts';
import type { Transactor } from '../transactor.ts';
import { KafkajsAdmin } from './admin.ts';
import { KafkajsAppender } from './appender.ts';
import { KafkajsGroupReader } from './group-reader.ts';
import { type KafkajsModule, Link } from './link.ts';
import { KafkajsPartitionReader } from './partition-reader.ts';
import { race } from './race.ts';
import { KafkajsTransactor } from './transactor.ts';

/** A driver on the package `kafkajs`, which the application has installed. */
export async function kafkajsDriver(settings: ConnectionSettings): Promise<Driver> {
  return new KafkajsDriver(await load(), settings);
}

async function load(): Promise<KafkajsModule> {
  try {
    return (await import('kafkajs')).default;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new InvalidArgumentError('driver', 'a Kafka client that is installed (npm install kafkajs)', 'kafkajs');
  }
}

/** Something that has connections. */
interface Open {
  readonly close: () => Promise<void>;
}

/** What was begun, and how it is ended. */
type Begun<T> = readonly [begun: T, close: () => Promise<void>];

class KafkajsDriver implements Driver {
  readonly name = 'kafkajs';
  readonly admin: KafkajsAdmin;
  readonly #module: KafkajsModule;
  readonly #settings: ConnectionSettings;
  readonly #open = new Set<Open>();
  readonly #over = new AbortController();
  #adminLink: Promise<Link> | undefined;
  #closing: Promise<void> | undefined;

  constructor(module: KafkajsModule, settings: ConnectionSettings) {
    this.#module = module;
    this.#settings = settings;
    this.admin = new KafkajsAdmin((signal) => this.#linkOfAdmin(signal));
  }

  appender({ signal }: { readonly signal: AbortSignal }): Promise<Appender> {
    return this.#start('become a producer', signal, async (link, outer) => {
      using limit = deadline(this.#settings.deliveryTimeout, outer);
      const appender = await KafkajsAppender.start(link, limit.signal);
      return [appender, () => appender.close()];
    });
  }

  transactor(
    id: string,
    { timeout, signal }: { readonly timeout: number; readonly signal: AbortSignal },
  ): Promise<Transactor> {
    return this.#start(`take over the transactional id "${id}"`, signal, async (link, outer) => {
      using limit = deadline(this.#settings.deliveryTimeout, outer);
      const transactor = await KafkajsTransactor.start(link, id, timeout, limit.signal);
      return [transactor, () => transactor.close()];
    });
  }

  readGroup(options: GroupReaderOptions, events: GroupReaderEvents): Promise<GroupReader> {
    return this.#start(`join the group "${options.group}"`, options.signal, async (link, signal) => {
      const reader = new KafkajsGroupReader(link, { ...options, signal }, events);
      try {
        await reader.start();
        return [reader, () => reader.stop()];
      } catch (error) {
        await reader.stop();
        throw error;
      }
    });
  }

  readPartitions(options: PartitionReaderOptions, events: PartitionReaderEvents): Promise<PartitionReader> {
    return this.#start(`read "${options.topic}"`, options.signal, async (link, signal) => {
      const reader = await KafkajsPartitionReader.start(link, { ...options, signal }, events);
      return [reader, () => reader.stop()];
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#over.abort(new StreamClosedError('the driver'));
    // Whatever was being made meanwhile comes after its making has ended.
    while (this.#open.size > 0) {
      const open = [...this.#open];
      await Promise.all(open.map((one) => one.close().then(() => this.#open.delete(one))));
    }
  }

  /** Connects, and begins with it. Of what fails, or comes after the signal has aborted, nothing is left. */
  async #start<T>(
    what: string,
    outer: AbortSignal,
    begin: (link: Link, signal: AbortSignal) => Promise<Begun<T>>,
  ): Promise<T> {
    const signal = AbortSignal.any([outer, this.#over.signal]);
    const starting = this.#begin(what, signal, begin);
    const one: Open = { close: () => starting.then(({ close }) => close()).catch(() => {}) };
    this.#open.add(one);
    void starting
      .then(({ link }) => link.closed)
      .catch(() => {})
      .then(() => this.#open.delete(one));
    try {
      return (await race(starting, signal)).begun;
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    }
  }

  async #begin<T>(
    what: string,
    signal: AbortSignal,
    begin: (link: Link, signal: AbortSignal) => Promise<Begun<T>>,
  ): Promise<{ readonly begun: T; readonly close: () => Promise<void>; readonly link: Link }> {
    const link = await Link.open(this.#module, this.#settings, what, signal);
    try {
      const [begun, close] = await begin(link, signal);
      if (!signal.aborted) return { begun, close, link };
      await close();
      throw signal.reason;
    } catch (error) {
      await link.close();
      throw error;
    }
  }

  /** One for all calls, from the first one on. */
  #linkOfAdmin(signal: AbortSignal): Promise<Link> {
    this.#adminLink ??= this.#openAdmin();
    return race(this.#adminLink, signal);
  }

  #openAdmin(): Promise<Link> {
    const opening = this.#start(
      'look at the cluster',
      this.#over.signal,
      async (link): Promise<Begun<Link>> => [link, () => link.close()],
    );
    opening.catch(() => {
      this.#adminLink = undefined;
    });
    return opening;
  }
}
