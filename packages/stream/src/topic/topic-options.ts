import { checkNames, type Duration, duration, InvalidArgumentError } from '@quorate/core';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { TopicShape } from '../driver/admin.ts';
import { type Format, json } from './format.ts';
import { checkSchema, type Schema } from './schema.ts';
import { type Versions, versions } from './versions.ts';

/** What a topic's values have to be: a Standard Schema, or one that has changed (`versions`). */
export type ValueSchema = StandardSchemaV1 | Versions;

export interface TopicOptions<Key extends StandardSchemaV1<string>, Value extends ValueSchema> {
  /** For keys, which are text: its output is what handlers get. Without it a key is text, or null. */
  readonly key?: Key;
  /** For values. Without it a value is whatever the format gives. */
  readonly value?: Value;
  /** Default `json`. */
  readonly format?: Format;
  /** For `create`. Default 1. */
  readonly partitions?: number;
  /** On how many brokers. For `create`. Default: as the brokers have it. */
  readonly replication?: number;
  /** How long messages are kept. For `create`. Default: as the brokers have it. */
  readonly retention?: Duration;
  /** Further settings by Kafka's names, such as `{ 'cleanup.policy': 'compact' }`. For `create`. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface TopicSettings {
  readonly name: string;
  readonly key: Schema<string, unknown> | undefined;
  readonly versions: Versions | undefined;
  readonly format: Format;
  readonly shape: TopicShape;
  /** What was said of the shape, and is to be checked. */
  readonly declared: { readonly partitions: boolean; readonly replication: boolean };
}

const names = ['key', 'value', 'format', 'partitions', 'replication', 'retention', 'settings'];

export function checkTopicName(name: unknown): string {
  if (typeof name === 'string' && /^[\w.-]{1,200}$/.test(name) && name !== '.' && name !== '..') return name;
  throw new InvalidArgumentError('name', '1 to 200 letters, digits, dots, hyphens and underscores', name);
}

export function checkTopicOptions(
  name: string,
  options: TopicOptions<StandardSchemaV1<string>, ValueSchema>,
): TopicSettings {
  checkNames('options', options, names);
  const { key, value, format = json, partitions, replication, retention, settings = {} } = options;
  if (key !== undefined) checkSchema('key', key);
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings))
    throw new InvalidArgumentError('settings', "an object of texts by Kafka's names", settings);
  for (const [setting, text] of Object.entries(settings))
    if (typeof text !== 'string') throw new InvalidArgumentError(`settings.${setting}`, 'text', text);
  return {
    name: checkTopicName(name),
    key: key as Schema<string, unknown> | undefined,
    versions: value === undefined ? undefined : asVersions(value),
    format: checkFormat(format),
    shape: {
      partitions: whole('partitions', partitions ?? 1, 100_000),
      replication: replication === undefined ? -1 : whole('replication', replication, 32_767),
      settings: retention === undefined ? settings : { ...settings, 'retention.ms': String(kept(retention)) },
    },
    declared: { partitions: partitions !== undefined, replication: replication !== undefined },
  };
}

function asVersions(value: ValueSchema): Versions {
  if (typeof (value as Partial<Versions> | null)?.read === 'function') return value as Versions;
  checkSchema('value', value);
  return versions(1, value as StandardSchemaV1);
}

function checkFormat(format: Format): Format {
  const given = format as Partial<Format> | null;
  const whole = typeof given?.encode === 'function' && typeof given.decode === 'function';
  if (whole && typeof given.contentType === 'string' && given.contentType !== '') return format;
  throw new InvalidArgumentError('format', 'an object with contentType, encode and decode', format);
}

function kept(retention: Duration): number {
  return duration(retention, { name: 'retention', least: 1 });
}

function whole(name: string, value: unknown, most: number): number {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most) return value as number;
  throw new InvalidArgumentError(name, `a whole number from 1 to ${most}`, value);
}
