import { checkNames, type Duration, duration, InvalidArgumentError } from '@quorate/core';
import type { Buffer } from './assignment.ts';
import { checkRetry, type Retry, type RetryOptions } from './retry.ts';
import type { Handler } from './treatment.ts';

export interface ConsumeOptions<Key, Value> {
  /** Members of one group share the partitions; each group gets every message. */
  readonly group: string;
  /** Where to begin in a partition of which the group has done nothing yet. Default: `earliest`, which leaves nothing out. */
  readonly from?: 'earliest' | 'latest';
  /** Called for each message. When it resolves, the message is done with. */
  readonly handler: Handler<Key, Value>;
  /** How many messages are handled at the same time; those of one key never are. Default 10. */
  readonly concurrency?: number;
  readonly retry?: RetryOptions;
  /** Whether messages that could not be handled go to `<topic>.dead` (default), or are dropped: then only `stats()` and the channel `quorate.stream.give-up` tell. */
  readonly deadLetter?: boolean;
  /** So many message ids are remembered, to leave out what comes twice. In memory, by this process. Default 0: none. */
  readonly dedupe?: number;
  /**
   * Whether messages are left out whose fencing token is older than the newest that the group has seen for their key. Kept in `<topic>.<group>.fences`, over restarts and rebalances.
   * Messages without a token are handled. Default false.
   */
  readonly fenced?: boolean;
  /**
   * Whether what handlers publish by `transaction.publish`, dead letters, and the progress of the group become visible together: once for each message, whatever fails. Default false.
   */
  readonly transactional?: boolean;
  /** After so long without a sign of life the group gives the partitions of this process to others. Default 10 s. */
  readonly sessionTimeout?: Duration;
  /** How long a rebalance waits for handlers to finish before they are told to stop. Default: half the session timeout. */
  readonly handOver?: Duration;
  /** How long `stop` waits for handlers to finish before they are told to stop. Default 30 s. */
  readonly drain?: Duration;
  /** How often progress is committed. Default 500 ms, and 100 ms with transactions. */
  readonly commitEvery?: Duration;
  /** How much is read ahead: messages of each partition (default 10,000), and bytes in all (default 16 MiB), of which half is shared out evenly among the partitions. */
  readonly buffer?: { readonly messages?: number; readonly bytes?: number };
  /** Ends the start. */
  readonly signal?: AbortSignal;
}

export interface ConsumeSettings {
  readonly group: string;
  readonly from: 'earliest' | 'latest';
  readonly handler: Handler<unknown, unknown>;
  readonly concurrency: number;
  readonly retry: Retry;
  readonly deadLetter: boolean;
  readonly dedupe: number;
  readonly fenced: boolean;
  readonly transactional: boolean;
  readonly sessionTimeout: number;
  readonly handOver: number;
  readonly drain: number;
  readonly commitEvery: number;
  readonly buffer: Buffer;
}

const names = [
  'group',
  'from',
  'handler',
  'concurrency',
  'retry',
  'deadLetter',
  'dedupe',
  'fenced',
  'transactional',
  'sessionTimeout',
  'handOver',
  'drain',
  'commitEvery',
  'buffer',
  'signal',
];

export function checkConsumeOptions<Key, Value>(options: ConsumeOptions<Key, Value>): ConsumeSettings {
  checkNames('options', options, names);
  const {
    group,
    from = 'earliest',
    handler,
    concurrency = 10,
    deadLetter = true,
    dedupe = 0,
    fenced = false,
    transactional = false,
    buffer = {},
  } = options;
  if (typeof group !== 'string' || !/^[\w.-]{1,249}$/.test(group))
    throw new InvalidArgumentError('group', '1 to 249 letters, digits, dots, hyphens and underscores', group);
  if (from !== 'earliest' && from !== 'latest') throw new InvalidArgumentError('from', '"earliest" or "latest"', from);
  if (typeof handler !== 'function') throw new InvalidArgumentError('handler', 'a function', handler);
  if (typeof deadLetter !== 'boolean') throw new InvalidArgumentError('deadLetter', 'true or false', deadLetter);
  if (typeof fenced !== 'boolean') throw new InvalidArgumentError('fenced', 'true or false', fenced);
  if (typeof transactional !== 'boolean')
    throw new InvalidArgumentError('transactional', 'true or false', transactional);
  checkNames('buffer', buffer, ['messages', 'bytes']);
  const sessionTimeout = duration(options.sessionTimeout ?? '10s', { name: 'sessionTimeout', least: 1_000 });
  const handOver = duration(options.handOver ?? sessionTimeout / 2, { name: 'handOver' });
  if (handOver > 0.7 * sessionTimeout) {
    const most = `at most 70 % of sessionTimeout (${Math.floor(0.7 * sessionTimeout)} ms): no sign of life is given meanwhile`;
    throw new InvalidArgumentError('handOver', most, options.handOver);
  }
  const retry = checkRetry(options.retry);
  if (fenced && retry.outOfOrder) {
    const why = 'false, with retry.outOfOrder: a message that is tried again later is not under the same fence';
    throw new InvalidArgumentError('fenced', why, fenced);
  }
  return {
    group,
    from,
    handler: handler as Handler<unknown, unknown>,
    concurrency: whole('concurrency', concurrency, 1, 100_000),
    retry,
    deadLetter,
    fenced,
    transactional,
    dedupe: whole('dedupe', dedupe, 0, 10_000_000),
    sessionTimeout,
    handOver,
    drain: duration(options.drain ?? '30s', { name: 'drain' }),
    commitEvery: duration(options.commitEvery ?? (transactional ? 100 : 500), {
      name: 'commitEvery',
      least: 10,
      most: 86_400_000,
    }),
    buffer: {
      messages: whole('buffer.messages', buffer.messages ?? 10_000, 1, 10_000_000),
      bytes: whole('buffer.bytes', buffer.bytes ?? 16 * 2 ** 20, 1, Number.MAX_SAFE_INTEGER),
    },
  };
}

function whole(name: string, value: unknown, least: number, most: number): number {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
  throw new InvalidArgumentError(name, `a whole number from ${least} to ${most}`, value);
}
