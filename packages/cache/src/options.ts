import { checkNames, type Duration, InvalidArgumentError } from '@quorate/core';
import type { Cluster, Redis } from 'ioredis';
import { checkDuration, longestLife } from './duration.ts';
import { isOriginFailure } from './failure.ts';
import { checkPrefix } from './key.ts';
import { json } from './serializers/json.ts';
import type { Serializer } from './serializers/serializer.ts';
import type { Schema } from './standard-schema.ts';

export interface CacheOptions {
  /** A client of ioredis: one server, Sentinel or cluster. It stays yours: closing the cache leaves it open. */
  readonly redis: Redis | Cluster;
  /** In front of every key. Caches with the same prefix share their entries. */
  readonly prefix: string;
  /** How long a value is fresh. Default 5 minutes. */
  readonly ttl?: Duration;
  /** For how long after that it may be given out while a new one is loaded, or cannot be. Default 0: not at all. */
  readonly stale?: Duration;
  /** How long "there is nothing" is remembered, when the origin gives undefined. Default 10 s, and never longer than `ttl`; 0 for not at all. */
  readonly negative?: Duration;
  /** How eagerly values are loaded anew shortly before they expire: 0 never, 1 (default) by about the time a load takes, 2 twice as early. */
  readonly early?: number;
  /** The tier in this process; false for none. Callers who share a load then share a frozen value, or get a copy each with a binary serializer. */
  readonly local?: false | LocalOptions;
  /** Default `json`. */
  readonly serializer?: Serializer;
  /** Values of more bytes than `above` are compressed in Redis. Default 65,536; false for never. */
  readonly compress?: false | { readonly above: number };
  /** Larger values are given out, and not kept. Default 16 MiB. */
  readonly maxValueBytes?: number;
  /**
   * Checks values, as the serializer gives them back; its output is what callers get. What is loaded or set and does not
   * pass is an `InvalidValueError`; what comes from Redis and does not pass counts as a miss.
   */
  readonly schema?: Schema;
  /**
   * For how long a process that loads keeps the others waiting after it has died. Default 3 s. Less than `heartbeat` and
   * `redisTimeout` together is lost when Redis is slow, though it answers in time: then another process loads as well.
   */
  readonly lease?: Duration;
  /** How long one answer of Redis may take before the cache goes on without it. Default 500 ms. */
  readonly redisTimeout?: Duration;
  /** How long a load may take from the call of the loader, and waiting for another process's load. Default 30 s. */
  readonly loadTimeout?: Duration;
  /** How often the way to Redis is tried. After three times as long without a word, nothing local is trusted unasked. Default 500 ms. */
  readonly heartbeat?: Duration;
  readonly origin?: OriginOptions;
}

export interface LocalOptions {
  /** Default 10,000. */
  readonly maxItems?: number;
  /**
   * Default 64 MiB. Counted are the values as they are written, uncompressed: of text a byte for each character, or two when
   * any is beyond Latin-1; and 200 bytes, the key and the tags for each entry. Objects that were read from it take more than that.
   */
  readonly maxBytes?: number;
  /** A value older than this is asked for in Redis again. Default: as long as it lives. */
  readonly ttl?: Duration;
  /** How long values are given out while Redis does not answer, which is how long an invalidation by another process can be missed. Default 30 s. */
  readonly trust?: Duration;
  /** All callers get the same object: frozen (default), or not when you say `shared`, or each a copy of its own. */
  readonly values?: 'frozen' | 'shared' | 'copied';
}

export interface OriginOptions {
  /** Loads at the same time in this process, of each origin that calls name. Default 256. */
  readonly concurrency?: number;
  /** Loads of each origin that wait for their turn; more are refused. Default 10,000. */
  readonly queue?: number;
  /** After so many failures of an origin in a row nothing is loaded from it for a while. Default 5; false for never mind. */
  readonly breakAfter?: number | false;
  /** How long that while is. Default 5 s. */
  readonly breakFor?: Duration;
  /**
   * Whether what a loader threw is a failure of the origin. By default everything is but what says that the question was bad:
   * `status` or `statusCode` (of the error or its `response`) from 400 to 499 except 408 and 429, an `InvalidArgumentError`;
   * and an `AbortError`.
   */
  readonly isFailure?: (error: unknown) => boolean;
}

/** Options that were checked, with every default filled in. */
export interface Settings {
  readonly redis: Redis | Cluster;
  readonly prefix: string;
  readonly ttl: number;
  readonly stale: number;
  readonly negative: number;
  readonly early: number;
  readonly local:
    | {
        readonly maxItems: number;
        readonly maxBytes: number;
        readonly ttl: number;
        readonly trust: number;
        readonly values: 'frozen' | 'shared' | 'copied';
      }
    | undefined;
  readonly serializer: Serializer;
  readonly compressAbove: number;
  readonly maxValueBytes: number;
  readonly schema: Schema | undefined;
  readonly lease: number;
  readonly redisTimeout: number;
  readonly loadTimeout: number;
  readonly heartbeat: number;
  readonly origin: {
    readonly concurrency: number;
    readonly queue: number;
    readonly breakAfter: number;
    readonly breakFor: number;
    readonly isFailure: (error: unknown) => boolean;
  };
}

const names = [
  'redis',
  'prefix',
  'ttl',
  'stale',
  'negative',
  'early',
  'local',
  'serializer',
  'compress',
  'maxValueBytes',
  'schema',
  'lease',
  'redisTimeout',
  'loadTimeout',
  'heartbeat',
  'origin',
];
const localNames = ['maxItems', 'maxBytes', 'ttl', 'trust', 'values'];
const originNames = ['concurrency', 'queue', 'breakAfter', 'breakFor', 'isFailure'];

export function checkOptions(options: CacheOptions): Settings {
  checkNames('options', options, names);
  const { ttl = '5m', stale = 0, negative = '10s', early = 1, local = {}, serializer = json, compress } = options;
  const { maxValueBytes = 16 * 2 ** 20, schema, lease = '3s', redisTimeout = 500, loadTimeout = '30s' } = options;
  const { heartbeat = 500, origin = {} } = options;
  const settings: Settings = {
    redis: checkRedis(options.redis),
    prefix: checkPrefix(options.prefix),
    ttl: checkDuration('ttl', ttl, 1),
    stale: checkDuration('stale', stale),
    negative: checkDuration('negative', negative),
    early: checkNumber('early', early, 0, 100),
    local: local === false ? undefined : checkLocal(local),
    serializer: checkSerializer(serializer),
    compressAbove: compress === false ? Infinity : checkCompress(compress ?? { above: 65_536 }),
    maxValueBytes: checkWhole('maxValueBytes', maxValueBytes, 1, 512 * 2 ** 20),
    schema: schema === undefined ? undefined : checkSchema(schema),
    lease: checkDuration('lease', lease, 100),
    redisTimeout: checkDuration('redisTimeout', redisTimeout, 1),
    loadTimeout: checkDuration('loadTimeout', loadTimeout, 1),
    heartbeat: checkDuration('heartbeat', heartbeat, 10),
    origin: checkOrigin(origin),
  };
  checkTogether(settings, options);
  return settings;
}

/** What makes no sense together is refused under the name of the option that would have to give way. */
function checkTogether(settings: Settings, given: CacheOptions): void {
  const { ttl, stale, negative, lease, heartbeat, redisTimeout, loadTimeout, local } = settings;
  const above = given.compress ? given.compress.above : 0;
  if (ttl + stale > longestLife)
    throw new InvalidArgumentError('stale', 'at most a year together with ttl', given.stale);
  if (given.negative !== undefined && negative > ttl) {
    throw new InvalidArgumentError('negative', `at most ttl (${ttl} ms)`, given.negative);
  }
  if (lease < 2 * heartbeat) {
    throw new InvalidArgumentError(
      'lease',
      `at least two heartbeats (${2 * heartbeat} ms): it is renewed at each`,
      given.lease,
    );
  }
  if (loadTimeout < redisTimeout) {
    throw new InvalidArgumentError('loadTimeout', `at least redisTimeout (${redisTimeout} ms)`, given.loadTimeout);
  }
  if (above > settings.maxValueBytes) {
    throw new InvalidArgumentError('compress.above', `at most maxValueBytes (${settings.maxValueBytes})`, above);
  }
  if (local && local.trust > 0 && local.trust < 3 * heartbeat) {
    throw new InvalidArgumentError('local.trust', `0, or at least three heartbeats (${3 * heartbeat} ms)`, local.trust);
  }
}

export function checkSchema(schema: unknown): Schema {
  const standard = (schema as Partial<Schema> | null)?.['~standard'];
  if (standard?.version === 1 && typeof standard.validate === 'function') return schema as Schema;
  // Not shown: a schema is a large object.
  throw new InvalidArgumentError('schema', 'a Standard Schema, such as those of Zod, Valibot or ArkType');
}

function checkRedis(redis: unknown): Redis | Cluster {
  const client = redis as Partial<Redis> | null | undefined;
  // Not shown: a client knows its password.
  if (typeof client?.evalsha !== 'function' || typeof client.status !== 'string') {
    throw new InvalidArgumentError('redis', 'a client of ioredis: new Redis(…) or new Cluster(…)');
  }
  // A replica may not have what was deleted deleted yet: it would be taken for new.
  const { scaleReads = 'master', role } = (client.options ?? {}) as { scaleReads?: unknown; role?: unknown };
  if (scaleReads !== 'master' || role === 'slave') {
    throw new InvalidArgumentError('redis', 'a client that reads from primaries only: no scaleReads, no role "slave"');
  }
  return redis as Redis;
}

function checkSerializer(serializer: Serializer): Serializer {
  const reads =
    serializer !== null &&
    typeof serializer === 'object' &&
    ('parse' in serializer ? serializer.parse : serializer.decode);
  const whole = typeof reads === 'function' && typeof serializer.encode === 'function';
  if (whole && typeof serializer.name === 'string' && /^[\w.-]{1,32}$/.test(serializer.name)) return serializer;
  const expected = 'an object with name (1 to 32 letters, digits, dots, hyphens), encode, and parse or decode';
  throw new InvalidArgumentError('serializer', expected, serializer);
}

function checkCompress(compress: unknown): number {
  checkNames('compress', compress, ['above']);
  return checkWhole('compress.above', (compress as { above: unknown }).above, 0, 512 * 2 ** 20);
}

function checkLocal(local: LocalOptions): NonNullable<Settings['local']> {
  checkNames('local', local, localNames);
  const { maxItems = 10_000, maxBytes = 64 * 2 ** 20, ttl = '365d', trust = '30s', values = 'frozen' } = local;
  if (!['frozen', 'shared', 'copied'].includes(values)) {
    throw new InvalidArgumentError('local.values', '"frozen", "shared" or "copied"', values);
  }
  return {
    maxItems: checkWhole('local.maxItems', maxItems, 1, 2 ** 24),
    maxBytes: checkWhole('local.maxBytes', maxBytes, 1, Number.MAX_SAFE_INTEGER),
    ttl: checkDuration('local.ttl', ttl, 1),
    trust: checkDuration('local.trust', trust),
    values,
  };
}

function checkOrigin(origin: OriginOptions): Settings['origin'] {
  checkNames('origin', origin, originNames);
  const { concurrency = 256, queue = 10_000, breakAfter = 5, breakFor = '5s', isFailure = isOriginFailure } = origin;
  if (typeof isFailure !== 'function') throw new InvalidArgumentError('origin.isFailure', 'a function', isFailure);
  return {
    concurrency: checkWhole('origin.concurrency', concurrency, 1, 1_000_000),
    queue: checkWhole('origin.queue', queue, 0, 1_000_000),
    breakAfter: breakAfter === false ? Infinity : checkWhole('origin.breakAfter', breakAfter, 1, 1_000_000),
    breakFor: checkDuration('origin.breakFor', breakFor, 1),
    isFailure,
  };
}

function checkNumber(name: string, value: unknown, least: number, most: number): number {
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw new InvalidArgumentError(name, `a number from ${least} to ${most}`, value);
}

function checkWhole(name: string, value: unknown, least: number, most: number): number {
  if (Number.isInteger(value)) return checkNumber(name, value, least, most);
  throw new InvalidArgumentError(name, `a whole number from ${least} to ${most}`, value);
}
