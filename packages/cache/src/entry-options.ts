import { checkNames, type Duration, InvalidArgumentError } from '@quorate/core';
import { checkDuration, longestLife } from './duration.ts';
import { checkFence, checkTags } from './key.ts';
import { checkSchema, type Settings } from './options.ts';
import type { Schema } from './standard-schema.ts';

/** How a value is kept. What is not said is as the cache has it. */
export interface KeepOptions {
  readonly ttl?: Duration;
  readonly stale?: Duration;
  readonly tags?: readonly string[];
}

export interface SetOptions extends KeepOptions {
  /**
   * The token of the lease under which this is written, or read: nothing that a newer one has read or written is overwritten.
   * A `get` with it asks Redis first, and fails when Redis is away.
   */
  readonly fence?: bigint;
  /** Aborts the wait; the write may have happened. */
  readonly signal?: AbortSignal;
}

export interface GetOptions<T = unknown> extends SetOptions {
  /** How long "there is none" is remembered; never longer than `ttl`. */
  readonly negative?: Duration;
  /**
   * Ends this caller's wait alone: the load goes on while anybody else waits for it. With `fence`, once something was sent,
   * the error is an `AmbiguousError` with the reason as its cause: older tokens may be refused from then on.
   */
  readonly signal?: AbortSignal;
  /** The same after so long, with a `DeadlineExceededError` as the error, or as the cause. */
  readonly timeout?: Duration;
  /** Its output is what callers get. What was loaded and does not pass is an `InvalidValueError`. */
  readonly schema?: Schema<T>;
  /** What the value comes from: each origin has a bulkhead and a circuit breaker of its own. */
  readonly origin?: string;
}

/** Options that were checked, with every default filled in. */
export interface Keeping {
  readonly ttl: number;
  readonly stale: number;
  readonly negative: number;
  readonly tags: readonly string[];
  readonly fence: bigint | undefined;
  readonly schema: Schema | undefined;
  readonly origin: string;
}

const keepNames = ['ttl', 'stale', 'tags'];
const fencedNames = ['fence', 'signal'];
const setNames = [...keepNames, ...fencedNames];
const getNames = [...setNames, 'negative', 'timeout', 'schema', 'origin'];

const noTags: readonly string[] = [];
const defaults = new WeakMap<Settings, Keeping>();

export function checkGet(options: GetOptions | undefined, settings: Settings): Keeping {
  let usual = defaults.get(settings);
  if (usual === undefined) {
    const { ttl, stale, negative, schema } = settings;
    usual = { ttl, stale, negative: Math.min(negative, ttl), tags: noTags, fence: undefined, schema, origin: '' };
    defaults.set(settings, usual);
  }
  if (options === undefined) return usual;
  checkNames('options', options, getNames);
  checkWaiting(options);
  return keeping(options, usual);
}

export function checkSet(options: SetOptions | undefined, settings: Settings): Keeping {
  if (options !== undefined) checkNames('options', options, setNames);
  return checkGet(options, settings);
}

/** What removes or moves something is told no more than under which token, and until when somebody waits for it. */
export function checkFenced(options: Pick<SetOptions, 'fence' | 'signal'>): void {
  checkNames('options', options, fencedNames);
  checkWaiting(options);
  if (options.fence !== undefined) checkFence(options.fence);
}

/** What a loader decides about its value goes before what its caller has said. */
export function checkKeep(options: KeepOptions, before: Keeping): Keeping {
  checkNames('keep', options, keepNames);
  const tags = options.tags === undefined ? before.tags : [...before.tags, ...checkTags(options.tags)];
  return keeping({ ...options, tags }, before);
}

function keeping(options: GetOptions, usual: Keeping): Keeping {
  const { ttl, stale, negative, tags, fence, schema, origin } = options;
  const life = ttl === undefined ? usual.ttl : checkDuration('ttl', ttl);
  const kept: Keeping = {
    ttl: life,
    stale: stale === undefined ? usual.stale : checkDuration('stale', stale),
    negative: Math.min(life, negative === undefined ? usual.negative : checkDuration('negative', negative)),
    tags: tags === undefined ? usual.tags : checkTags(tags),
    fence: fence === undefined ? usual.fence : checkFence(fence),
    schema: schema === undefined ? usual.schema : checkSchema(schema),
    origin: origin === undefined ? usual.origin : checkOrigin(origin),
  };
  if (kept.ttl + kept.stale > longestLife)
    throw new InvalidArgumentError('stale', 'at most a year together with ttl', stale);
  return kept;
}

export function checkWaiting({
  signal,
  timeout,
}: {
  readonly signal?: AbortSignal;
  readonly timeout?: Duration;
}): void {
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new InvalidArgumentError('signal', 'an AbortSignal', signal);
  }
  if (timeout !== undefined) checkDuration('timeout', timeout);
}

function checkOrigin(origin: unknown): string {
  if (typeof origin === 'string' && origin.length <= 128) return origin;
  throw new InvalidArgumentError('origin', 'a name of at most 128 characters', origin);
}
