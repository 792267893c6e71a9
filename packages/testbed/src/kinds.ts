import type { Wanted } from './options.ts';
import { Consul } from './servers/consul.ts';
import { DynamoDB } from './servers/dynamodb.ts';
import { Envoy } from './servers/envoy.ts';
import { Kafka } from './servers/kafka.ts';
import { MongoDB } from './servers/mongodb.ts';
import { Postgres } from './servers/postgres.ts';
import { Prometheus } from './servers/prometheus.ts';
import { Redis } from './servers/redis.ts';
import { S3 } from './servers/s3.ts';
import type { Site } from './servers/site.ts';
import { Spark } from './servers/spark.ts';
import { Temporal } from './servers/temporal.ts';
import { ZooKeeper } from './servers/zookeeper.ts';
import { zooKeeperProgram } from './servers/zookeeper-version.ts';

/** What stands behind each name of a bed. */
export interface Kinds {
  readonly zookeeper: ZooKeeper;
  readonly redis: Redis;
  readonly kafka: Kafka;
  readonly consul: Consul;
  readonly envoy: Envoy;
  readonly temporal: Temporal;
  readonly s3: S3;
  readonly dynamodb: DynamoDB;
  readonly postgres: Postgres;
  readonly mongodb: MongoDB;
  readonly prometheus: Prometheus;
  readonly spark: Spark;
}

export type Kind = keyof Kinds;

export interface KindOf<K extends Kind> {
  readonly plan: (site: Site, options: NonNullable<Wanted[K]>) => Promise<Kinds[K]>;
  readonly programs: (options: NonNullable<Wanted[K]>) => readonly string[];
}

export const kinds: { readonly [K in Kind]: KindOf<K> } = {
  zookeeper: { plan: ZooKeeper.plan, programs: ({ version }) => ['java', zooKeeperProgram(version)] },
  redis: { plan: Redis.plan, programs: () => ['redis'] },
  kafka: { plan: Kafka.plan, programs: () => ['java', 'kafka'] },
  consul: { plan: Consul.plan, programs: () => ['consul'] },
  envoy: { plan: Envoy.plan, programs: () => ['envoy'] },
  temporal: { plan: Temporal.plan, programs: () => ['temporal'] },
  s3: { plan: S3.plan, programs: () => ['versitygw'] },
  dynamodb: { plan: DynamoDB.plan, programs: () => ['java', 'dynamodb'] },
  postgres: { plan: Postgres.plan, programs: () => ['postgres'] },
  mongodb: { plan: MongoDB.plan, programs: () => ['mongodb'] },
  prometheus: { plan: Prometheus.plan, programs: () => ['prometheus'] },
  spark: { plan: Spark.plan, programs: () => ['java', 'spark'] },
};
