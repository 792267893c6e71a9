import { randomUUID } from 'node:crypto';
import { AmbiguousError, checkNames, InvalidArgumentError } from '@quorate/core';
import { invalidations } from './diagnostics.ts';
import { checkSet, checkWaiting, type Keeping, type SetOptions } from './entry-options.ts';
import { CacheClosedError } from './errors/cache-closed-error.ts';
import { FencedError } from './errors/fenced-error.ts';
import { RedisRefusedError } from './errors/redis-refused-error.ts';
import { RedisUnavailableError } from './errors/redis-unavailable-error.ts';
import { ValueTooLargeError } from './errors/value-too-large-error.ts';
import { checkKey, checkTags } from './key.ts';
import { seal } from './redis/envelope.ts';
import { doneOf, leaseOf } from './redis/key-names.ts';
import { silence } from './redis/link.ts';
import { keyMessage, wakeMessage } from './redis/message.ts';
import { put, raise } from './redis/scripts.ts';
import { doneLife, fenceLife, type Store } from './store.ts';
import { orAborted } from './waited.ts';

/** What is changed on purpose. Whoever changes something is told what became of it. */
export class Writes {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async set(key: string, value: unknown, options: SetOptions | undefined, version?: string): Promise<void> {
    checkKey(key);
    const keeping = checkSet(options, this.#store.settings);
    if (value === undefined) {
      throw new InvalidArgumentError('value', 'anything but undefined; use delete to remove a value');
    }
    if (keeping.ttl === 0) throw new InvalidArgumentError('ttl', 'more than 0 to set a value', 0);
    const sealing = this.#store.life.bound(() => this.#sealed(key, value, keeping));
    const sealed = await orAborted(options?.signal, sealing);
    await this.#put(key, version, sealed, keeping, options?.signal);
  }

  async delete(
    key: string,
    options: Pick<SetOptions, 'fence' | 'signal'> | undefined,
    version?: string,
  ): Promise<void> {
    await this.#put(key, version, '', checkSet(options, this.#store.settings), options?.signal);
  }

  /** Before a read under a token: older ones write nothing from now on, and what was read before that is not given out. */
  async raise(key: string, fence: bigint, signal: AbortSignal | undefined): Promise<void> {
    const { link, names } = this.#store;
    const bar = names.fence(key);
    const reply = await this.attempt(readingUnder(key, fence), bar, signal, async () => {
      const outcome = await link.run(raise, [bar], [fence.toString(), String(fenceLife)]);
      this.#store.supersede(key);
      return outcome;
    });
    if (reply === 2) throw new FencedError(key, fence);
  }

  async invalidate(options: { readonly tags: readonly string[]; readonly signal?: AbortSignal }): Promise<void> {
    checkNames('options', options, ['tags', 'signal']);
    const tags = checkTags(options.tags);
    if (tags.length === 0) throw new InvalidArgumentError('tags', 'at least one tag', tags);
    checkWaiting(options);
    const store = this.#store;
    const what = `invalidating ${tags.join(', ').slice(0, 200)}`;
    await this.attempt(what, store.names.clock, options.signal, async () => {
      const outcome = await store.coherence.invalidate(tags);
      // It may have happened, and we may not be told.
      if (outcome === silence) store.forgetTagged(tags);
      return outcome;
    });
    if (invalidations.hasSubscribers) invalidations.publish({ cache: store.settings.prefix, tags });
  }

  /** Whatever was kept or is being loaded is not for those who come after this. */
  async clear(options: { readonly signal?: AbortSignal }): Promise<void> {
    checkNames('options', options, ['signal']);
    checkWaiting(options);
    const store = this.#store;
    await this.attempt(`clearing ${store.settings.prefix}`, store.names.clock, options.signal, async () => {
      const outcome = await store.coherence.clear();
      store.supersedeAll();
      return outcome;
    });
  }

  /** Done by the node that has this key of Redis, or an error that says whether it was refused, not sent, or nobody knows. */
  async attempt<T>(
    what: string,
    key: string,
    signal: AbortSignal | undefined,
    work: () => Promise<T | typeof silence>,
  ): Promise<T> {
    const store = this.#store;
    const { settings, link } = store;
    if (store.closed) throw new CacheClosedError(settings.prefix);
    signal?.throwIfAborted();
    await orAborted(signal, link.meet());
    if (store.closed) throw new CacheClosedError(settings.prefix);
    if (link.away(key)) throw new RedisUnavailableError(what);
    const refused = (error: unknown): never => {
      throw new RedisRefusedError(what, error);
    };
    const reply = await orAborted(signal, work().catch(refused), unanswered(what));
    if (reply !== silence) return reply;
    if (store.closed) throw unanswered(what)(new CacheClosedError(settings.prefix));
    throw new AmbiguousError(`${what}: Redis did not answer within ${settings.redisTimeout} ms; it may have happened`);
  }

  /** The same for what changes nothing: without an answer nothing has happened. */
  async ask<T>(
    what: string,
    key: string,
    signal: AbortSignal | undefined,
    work: () => Promise<T | typeof silence>,
  ): Promise<T> {
    const reply = await this.attempt<T | undefined>(what, key, signal, async () => {
      const answer = await work();
      return answer === silence ? undefined : answer;
    });
    if (reply !== undefined) return reply;
    const { closed, settings } = this.#store;
    throw closed ? new CacheClosedError(settings.prefix) : new RedisUnavailableError(what);
  }

  async #sealed(key: string, value: unknown, keeping: Keeping): Promise<Buffer> {
    const { parcel, settings, link, names, coherence } = this.#store;
    const { schema } = keeping;
    const written = schema ? (await parcel.check(key, value, schema)).written : parcel.write(key, value);
    if (written.bytes > settings.maxValueBytes) {
      throw new ValueTooLargeError(key, written.bytes, settings.maxValueBytes);
    }
    const { tags } = coherence;
    if (!(await link.meet())) throw new RedisUnavailableError(`setting ${key}`);
    await tags.prepare(keeping.tags, keeping.ttl + keeping.stale);
    // Before anything is known of the clock, whoever knows it takes the value for one from before a clear.
    if (tags.now === 0 && link.away(names.clock)) throw new RedisUnavailableError(`setting ${key}`);
    const { payload, compressed } = await parcel.pack(written);
    const freshUntil = link.serverTime(performance.now()) + keeping.ttl;
    const times = { freshUntil, staleUntil: freshUntil + keeping.stale, loadMs: 0, clock: tags.now, token: stamp() };
    const serializer = settings.serializer.name;
    return seal({ ...times, absent: false, compressed, serializer, tags: keeping.tags }, payload);
  }

  async #put(
    key: string,
    version: string | undefined,
    sealed: string | Buffer,
    keeping: Keeping,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const store = this.#store;
    const { names, sender, link, settings } = store;
    const what = `${sealed === '' ? 'deleting' : 'setting'} ${key}`;
    const entry = names.entry(key, version);
    const reply = await this.attempt(what, entry, signal, async () => {
      store.supersede(key);
      const bar = names.fence(key, version);
      const keys = [entry, leaseOf(entry), bar, doneOf(bar, randomUUID())];
      // There may be very many without a token: they are remembered for as long as somebody waits, which takes little memory.
      const remembered = keeping.fence === undefined ? 2 * settings.redisTimeout : doneLife(settings.redisTimeout);
      const life = String(keeping.ttl + keeping.stale);
      const fence = [keeping.fence?.toString() ?? '', String(fenceLife)];
      const wakeUp = [`${names.channel}:`, wakeMessage(key), names.channel, keyMessage(sender, key)];
      const outcome = await link.run(put, keys, [sealed, life, ...fence, ...wakeUp, String(remembered)]);
      // Whoever has read in between may have read what was there before.
      store.supersede(key);
      if (outcome === silence) store.unanswered();
      return outcome;
    });
    if (reply === 2) throw new FencedError(key, keeping.fence ?? 0n);
  }
}

let stamps = 0;

/** Unlike the token of any other write, so that whoever has seen one of them notices: below 0, for tokens are above. */
function stamp(): number {
  stamps += 1;
  return -(Math.trunc(Math.random() * 2 ** 40) * 2 ** 12 + (stamps % 2 ** 12));
}

export const readingUnder = (key: string, fence: bigint): string => `reading ${key} under token ${fence}`;

/** The wait for something that was sent has ended, by its signal or its time. */
export const unanswered =
  (what: string) =>
  (cause: unknown): AmbiguousError =>
    new AmbiguousError(`${what}: the wait ended before the answer; it may have happened`, { cause });
