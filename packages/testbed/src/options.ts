import { InvalidArgumentError } from '@quorate/core';
import type { ConsulOptions } from './servers/consul.ts';
import type { DynamoDBOptions } from './servers/dynamodb.ts';
import type { EnvoyOptions } from './servers/envoy.ts';
import type { KafkaOptions } from './servers/kafka.ts';
import type { MongoDBOptions } from './servers/mongodb.ts';
import type { PostgresOptions } from './servers/postgres.ts';
import type { PrometheusOptions } from './servers/prometheus.ts';
import type { RedisOptions } from './servers/redis.ts';
import { redisCounts } from './servers/redis-count.ts';
import type { S3Options } from './servers/s3.ts';
import type { SparkOptions } from './servers/spark.ts';
import type { TemporalOptions } from './servers/temporal.ts';
import type { ZooKeeperOptions } from './servers/zookeeper.ts';
import { zooKeeperVersions } from './servers/zookeeper-version.ts';

/** Which servers a bed has: how many of each, or more exactly what. */
export interface TestbedOptions {
  /** Members of the ensemble: 1, 3 or 5. */
  readonly zookeeper?: 1 | 3 | 5 | ZooKeeperOptions;
  /** Servers, up to 9: a primary, and replicas for the rest. */
  readonly redis?: number | RedisOptions;
  /** Brokers: 1 or 3. */
  readonly kafka?: 1 | 3 | KafkaOptions;
  /** Servers: 1 or 3. */
  readonly consul?: 1 | 3 | ConsulOptions;
  readonly envoy?: boolean | EnvoyOptions;
  readonly temporal?: boolean | 1 | TemporalOptions;
  /** The regions to have. */
  readonly s3?: readonly string[] | S3Options;
  readonly dynamodb?: boolean | 1 | DynamoDBOptions;
  readonly postgres?: boolean | 1 | PostgresOptions;
  readonly mongodb?: boolean | 1 | MongoDBOptions;
  readonly prometheus?: boolean | 1 | PrometheusOptions;
  /** Fetches 290 MB when it is first asked for. */
  readonly spark?: boolean | 1 | SparkOptions;
}

/** The same with each server's options written out; absent where the bed has none. */
export interface Wanted {
  readonly zookeeper?: ZooKeeperOptions;
  readonly redis?: RedisOptions;
  readonly kafka?: KafkaOptions;
  readonly consul?: ConsulOptions;
  readonly envoy?: EnvoyOptions;
  readonly temporal?: TemporalOptions;
  readonly s3?: S3Options;
  readonly dynamodb?: DynamoDBOptions;
  readonly postgres?: PostgresOptions;
  readonly mongodb?: MongoDBOptions;
  readonly prometheus?: PrometheusOptions;
  readonly spark?: SparkOptions;
}

type Bag = Readonly<Record<string, unknown>>;
type Check = (argument: string, value: unknown) => void;

const count =
  (...allowed: number[]): Check =>
  (argument, value) => {
    if (!allowed.includes(value as number)) throw new InvalidArgumentError(argument, allowed.join(' or '), value);
  };
const port: Check = (argument, value) => {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > 65_500) {
    throw new InvalidArgumentError(argument, 'a port from 1 to 65500', value);
  }
};
const oneOf =
  (...allowed: string[]): Check =>
  (argument, value) => {
    if (!allowed.includes(value as string))
      throw new InvalidArgumentError(argument, allowed.map((each) => `'${each}'`).join(' or '), value);
  };
const flag: Check = (argument, value) => {
  if (typeof value !== 'boolean') throw new InvalidArgumentError(argument, 'true or false', value);
};
const bag: Check = (argument, value) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidArgumentError(argument, 'an object of settings', value);
  }
};
/** Settings that are the bed's own. */
const bagWithout =
  (...names: string[]): Check =>
  (argument, value) => {
    bag(argument, value);
    for (const name of Object.keys(value as Bag)) {
      if (!names.includes(name.toLowerCase())) continue;
      throw new InvalidArgumentError(argument, `settings without ${names.join(' and ')}: the bed sets its own`, name);
    }
  };
const words: Check = (argument, value) => {
  if (!Array.isArray(value) || !value.every((word) => typeof word === 'string')) {
    throw new InvalidArgumentError(argument, 'a list of strings', value);
  }
};
const regions: Check = (argument, value) => {
  const valid =
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((name) => /^[a-z0-9](?:[a-z0-9-]{0,40}[a-z0-9])?$/.test(name));
  if (!valid || new Set(value).size !== value.length) {
    throw new InvalidArgumentError(argument, 'different region names such as "us-east-1", at least one', value);
  }
};

/** Each has a listener of Kafka's by its name in capitals, beside those that brokers have anyway, and links. */
const clients: Check = (argument, value) => {
  const names = Array.isArray(value) && value.every((name) => typeof name === 'string') ? value : [''];
  const listeners = new Set(['PLAINTEXT', 'PEERS', 'CONTROLLER', ...names.map((name) => name.toUpperCase())]);
  const servant = new RegExp(`^(?:${Object.keys(servers).join('|')})-`);
  const valid = names.every((name) => /^[\w.-]+$/.test(name) && !servant.test(name));
  if (!valid || listeners.size !== names.length + 3) {
    const expected = 'different names of clients such as "shop", none like that of a server or of another listener';
    throw new InvalidArgumentError(argument, expected, value);
  }
};

const httpUrl: Check = (argument, value) => {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  if (!url || !['http:', 'https:'].includes(url.protocol))
    throw new InvalidArgumentError(argument, 'a URL such as "http://127.0.0.1:8080/events"', value);
};
const addresses: Check = (argument, value) => {
  const valid = Array.isArray(value) && value.every((address) => /^[^\s/]+:\d+$/.test(String(address)));
  if (!valid) throw new InvalidArgumentError(argument, 'a list of addresses such as "127.0.0.1:9090"', value);
};

/** The first region's port is followed by those of the others. */
function checkRegions({ regions: names, port: first }: S3Options): void {
  regions('s3.regions', names);
  const last = 65_536 - names.length;
  if (first !== undefined && first > last)
    throw new InvalidArgumentError('s3.port', `a port from 1 to ${last}, because each region has one`, first);
}

/** A single server is no ensemble that others could join. */
function checkSpares({ members = 1, spares = 0 }: ZooKeeperOptions): void {
  if (spares > 0 && members === 1)
    throw new InvalidArgumentError('zookeeper.spares', '0, unless there are 3 or 5 members', spares);
}

/** For each server: what a short form stands for, and what may be said of it. */
const servers: Record<
  keyof Wanted,
  {
    readonly short: (value: unknown) => Bag | undefined;
    readonly expected: string;
    readonly options: Record<string, Check>;
  }
> = {
  zookeeper: {
    short: counted('members'),
    expected: '1, 3 or 5 members, or options',
    options: {
      members: count(1, 3, 5),
      spares: count(0, 1, 2, 3, 4),
      version: oneOf(...zooKeeperVersions),
      port,
      links: flag,
      config: bag,
      jvm: words,
    },
  },
  redis: {
    short: counted('servers'),
    expected: `${redisCounts[0]} to ${redisCounts.at(-1)} servers, or options`,
    options: { servers: count(...redisCounts), port, config: bagWithout('requirepass', 'masterauth') },
  },
  kafka: {
    short: counted('brokers'),
    expected: '1 or 3 brokers, or options',
    options: { brokers: count(1, 3), port, links: flag, clients, config: bag, jvm: words },
  },
  consul: {
    short: counted('servers'),
    expected: '1 or 3 servers, or options',
    options: {
      servers: count(1, 3),
      clients: count(0, 1, 2, 3, 4, 5),
      addresses: oneOf('shared', 'own'),
      links: flag,
      port,
      config: bag,
    },
  },
  envoy: { short: present, expected: 'true or options', options: { port } },
  temporal: { short: present, expected: 'true or options', options: { port } },
  s3: {
    short: (value) => (Array.isArray(value) ? { regions: value } : undefined),
    expected: 'a list of regions, or options',
    options: { regions, events: httpUrl, port },
  },
  dynamodb: { short: present, expected: 'true or options', options: { port, jvm: words } },
  postgres: { short: present, expected: 'true or options', options: { port, config: bag } },
  mongodb: { short: present, expected: 'true or options', options: { port } },
  spark: { short: present, expected: 'true or options', options: { port, config: bag, jvm: words } },
  prometheus: { short: present, expected: 'true or options', options: { port, scrape: addresses, config: bag } },
};

function counted(name: string): (value: unknown) => Bag | undefined {
  return (value) => (typeof value === 'number' ? { [name]: value } : undefined);
}

function present(value: unknown): Bag | undefined {
  return value === true || value === 1 ? {} : undefined;
}

/** Refuses what cannot be started before anything is touched, naming the option. */
export function parseOptions(options: TestbedOptions): Wanted {
  bag('options', options);
  const wanted: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    const server = servers[name as keyof Wanted];
    if (!server)
      throw new InvalidArgumentError('options', `one of the servers ${Object.keys(servers).join(', ')}`, name);
    if (value === undefined || value === false || value === 0) continue;
    const settings = server.short(value) ?? value;
    if (typeof settings !== 'object' || Array.isArray(settings))
      throw new InvalidArgumentError(name, server.expected, value);
    for (const [option, given] of Object.entries(settings as Bag)) {
      const check = server.options[option];
      if (!check)
        throw new InvalidArgumentError(name, `one of the options ${Object.keys(server.options).join(', ')}`, option);
      if (given !== undefined)
        check(typeof value === 'object' && !Array.isArray(value) ? `${name}.${option}` : name, given);
    }
    if (name === 'zookeeper') checkSpares(settings as ZooKeeperOptions);
    if (name === 's3') checkRegions(settings as S3Options);
    wanted[name] = settings;
  }
  return wanted;
}
