import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { checkNames, type Duration, duration, InvalidArgumentError } from '@quorate/core';
import { type DriverName, usualDriver } from './driver/driver.ts';
import type { ConnectionSettings, Sasl } from './driver/settings.ts';
import type { PublisherSettings } from './publishing/publisher.ts';
import { harmless, type Tracing } from './tracing.ts';

export interface StreamOptions {
  /** Some of the brokers, each `host:port`: a list, or text with commas. The others are found by these. */
  readonly brokers: string | readonly string[];
  /** How this process is called in the brokers' logs. Default `quorate`. */
  readonly clientId?: string;
  /** Which client library does the talking: it has to be installed. Default `platformatic`. */
  readonly driver?: DriverName;
  /** True for TLS with the authorities that Node trusts, or options of `node:tls`. */
  readonly tls?: boolean | TlsOptions;
  readonly sasl?: Sasl;
  /** How long a connection may take. Default 5 s. */
  readonly connectTimeout?: Duration;
  /** How long one answer may take. Default 10 s. */
  readonly requestTimeout?: Duration;
  /** How long messages are tried to be delivered. Default 30 s. */
  readonly deliveryTimeout?: Duration;
  /** Larger messages are refused before they are sent. Default 1,000,000, which is little less than what Kafka takes by default. */
  readonly maxMessageBytes?: number;
  /** How much may wait to be sent: whoever publishes more waits. Default 32 MiB. */
  readonly maxBufferedBytes?: number;
  /** How long a message waits for others to go with it. Default 0: what comes while a request is under way goes with the next. */
  readonly linger?: Duration;
  /** What goes around each message that is sent or handled. Default: nothing. */
  readonly tracing?: Tracing;
  /** The name of the component. Default `stream`. */
  readonly name?: string;
}

export interface StreamSettings {
  readonly name: string;
  readonly driver: DriverName;
  readonly connection: ConnectionSettings;
  readonly publisher: PublisherSettings;
  readonly maxMessageBytes: number;
  readonly tracing: Required<Tracing> | undefined;
}

const names = [
  'brokers',
  'clientId',
  'driver',
  'tls',
  'sasl',
  'connectTimeout',
  'requestTimeout',
  'deliveryTimeout',
  'maxMessageBytes',
  'maxBufferedBytes',
  'linger',
  'tracing',
  'name',
];

export function checkStreamOptions(options: StreamOptions): StreamSettings {
  checkNames('options', options, names);
  const { clientId = 'quorate', driver = usualDriver, tls, maxMessageBytes = 1_000_000, name = 'stream' } = options;
  const { maxBufferedBytes = 32 * 2 ** 20, linger = 0, tracing } = options;
  if (tracing !== undefined && (typeof tracing?.send !== 'function' || typeof tracing.handle !== 'function'))
    throw new InvalidArgumentError('tracing', 'an object with send and handle', tracing);
  if (typeof clientId !== 'string' || !/^[\w.-]{1,200}$/.test(clientId))
    throw new InvalidArgumentError('clientId', '1 to 200 letters, digits, dots, hyphens and underscores', clientId);
  if (driver !== 'kafkajs' && driver !== 'platformatic')
    throw new InvalidArgumentError('driver', '"kafkajs" or "platformatic"', driver);
  if (typeof name !== 'string' || name === '') throw new InvalidArgumentError('name', 'text', name);
  const requestTimeout = duration(options.requestTimeout ?? '10s', { name: 'requestTimeout', least: 100 });
  const largest = whole('maxMessageBytes', maxMessageBytes, 1, 2 ** 30);
  return {
    name,
    driver,
    connection: {
      brokers: checkBrokers(options.brokers),
      clientId,
      tls: checkTls(tls),
      sasl: checkSasl(options.sasl),
      connectTimeout: duration(options.connectTimeout ?? '5s', { name: 'connectTimeout', least: 100 }),
      requestTimeout,
      deliveryTimeout: duration(options.deliveryTimeout ?? '30s', { name: 'deliveryTimeout', least: 100 }),
    },
    publisher: {
      maxBufferedBytes: whole('maxBufferedBytes', maxBufferedBytes, 1, Number.MAX_SAFE_INTEGER),
      // A single message may be larger: then it is a batch of its own.
      batchBytes: Math.min(512 * 1_024, largest),
      linger: duration(linger, { name: 'linger', most: 60_000 }),
    },
    maxMessageBytes: largest,
    tracing: tracing && harmless(tracing),
  };
}

function checkBrokers(brokers: unknown): readonly string[] {
  const list: readonly unknown[] =
    typeof brokers === 'string' ? brokers.split(',').map((one) => one.trim()) : Array.isArray(brokers) ? brokers : [];
  const wrong = list.find((one) => !isAddress(one));
  if (list.length > 0 && wrong === undefined) return list as readonly string[];
  throw new InvalidArgumentError('brokers', 'addresses such as "kafka-1:9092,kafka-2:9092"', wrong ?? brokers);
}

function isAddress(text: unknown): boolean {
  const [, port] = (typeof text === 'string' && /^(?:\[[\da-fA-F:.]+\]|[\w.-]+):(\d{1,5})$/.exec(text)) || [];
  return Number(port) >= 1 && Number(port) <= 65_535;
}

function checkTls(tls: unknown): TlsOptions | undefined {
  if (tls === undefined || tls === false) return undefined;
  if (tls === true) return {};
  if (typeof tls === 'object' && tls !== null && !Array.isArray(tls)) return tls;
  // Not shown: it may hold a private key.
  throw new InvalidArgumentError('tls', 'true, or options of node:tls');
}

function checkSasl(sasl: Sasl | undefined): Sasl | undefined {
  if (sasl === undefined) return undefined;
  const { mechanism } = (sasl ?? {}) as Partial<Sasl>;
  if (mechanism === 'oauthbearer') {
    if (typeof (sasl as { token?: unknown }).token !== 'function')
      throw new InvalidArgumentError('sasl.token', 'a function that gives a token');
    return sasl;
  }
  if (mechanism !== 'plain' && mechanism !== 'scram-sha-256' && mechanism !== 'scram-sha-512')
    throw new InvalidArgumentError(
      'sasl.mechanism',
      '"plain", "scram-sha-256", "scram-sha-512" or "oauthbearer"',
      mechanism,
    );
  for (const part of ['username', 'password'] as const)
    if (typeof (sasl as Partial<Record<string, unknown>>)[part] !== 'string')
      throw new InvalidArgumentError(`sasl.${part}`, 'text');
  return sasl;
}

function whole(name: string, value: unknown, least: number, most: number): number {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
  throw new InvalidArgumentError(name, `a whole number from ${least} to ${most}`, value);
}
