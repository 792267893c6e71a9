export { type EventuallyOptions, eventually } from './eventually.ts';
export { everything } from './everything.ts';
export { type Fault, faults, type PrepareFault } from './faults/faults.ts';
export { type PlayFaultsOptions, playFaults } from './faults/play-faults.ts';
export type { HistoryCounts } from './history/counts.ts';
export type { HistoryEvent } from './history/event.ts';
export {
  type FaultKind,
  type FaultSchedule,
  type FaultScheduleOptions,
  faultSchedule,
  type PlannedFault,
} from './history/fault-schedule.ts';
export { History, type HistoryOptions, type Invocation, type RunOptions } from './history/history.ts';
export { HistoryLineError, type LoadOptions } from './history/json-lines.ts';
export type { Operation } from './history/operation.ts';
export type { Plain } from './history/plain.ts';
export { type Seeded, seeded } from './history/seeded.ts';
export type { Link } from './links/link.ts';
export type { LinkFaults } from './links/link-faults.ts';
export type { Partition } from './links/partition.ts';
export type { TestbedOptions } from './options.ts';
export type { OwnServerOptions, Place, Ready } from './own/own-options.ts';
export type { PortsOption } from './own/own-ports.ts';
export type { OwnServer } from './own/own-server.ts';
export { lamportHtml } from './picture/html.ts';
export { lamportSvg, type PictureOptions } from './picture/svg.ts';
export type { Slowness } from './processes/duty-cycle.ts';
export { NoDiskError } from './processes/no-disk-error.ts';
export { PortTakenError } from './processes/ports.ts';
export { CommandFailedError } from './processes/run.ts';
export type { Server, ServerState } from './processes/server.ts';
export { ServerFailedError } from './processes/server-failed-error.ts';
export { type ClockFault, SkewedProcess, type SkewedProcessOptions } from './processes/skewed-process.ts';
export { CacheError, cacheFolder } from './programs/cache.ts';
export { ChecksumError } from './programs/checksum.ts';
export { type Inventory, type InventoryItem, inventory } from './programs/inventory.ts';
export type { Program } from './programs/program.ts';
export { ProgramMissingError } from './programs/program-missing-error.ts';
export { Programs, type ProgramsOptions } from './programs/programs.ts';
export type { OnProgress, Progress } from './programs/progress.ts';
export { SourceUnreachableError } from './programs/release.ts';
export type { Consul, ConsulOptions } from './servers/consul.ts';
export type { DynamoDB, DynamoDBOptions } from './servers/dynamodb.ts';
export type { Envoy, EnvoyOptions } from './servers/envoy.ts';
export type { Kafka, KafkaOptions } from './servers/kafka.ts';
export type { MongoDB, MongoDBEngine, MongoDBOptions } from './servers/mongodb.ts';
export type { Postgres, PostgresOptions } from './servers/postgres.ts';
export type { Prometheus, PrometheusOptions } from './servers/prometheus.ts';
export type { Redis, RedisOptions } from './servers/redis.ts';
export type { S3, S3Options } from './servers/s3.ts';
export type { S3Region } from './servers/s3-region.ts';
export type { Spark, SparkOptions } from './servers/spark.ts';
export type { Temporal, TemporalOptions } from './servers/temporal.ts';
export { NoWebhookError } from './servers/webhook.ts';
export type { ZooKeeper, ZooKeeperOptions } from './servers/zookeeper.ts';
export { type BedOf, type StartOptions, Testbed } from './testbed.ts';
export { check } from './verdict/check.ts';
export { counter } from './verdict/counter.ts';
export type { ExclusiveOptions } from './verdict/exclusive.ts';
export type { LinearizableOptions } from './verdict/linearizable.ts';
export type { Model } from './verdict/model.ts';
export { mutex } from './verdict/mutex.ts';
export type { NoLostUpdatesOptions } from './verdict/no-lost-updates.ts';
export { type QueueOptions, queue } from './verdict/queue.ts';
export { casRegister, type RegisterOptions, register } from './verdict/register.ts';
export type { SessionOrderOptions } from './verdict/session-order.ts';
export type { TimedCall } from './verdict/timeline.ts';
export { type Evidence, type EvidenceLine, type Verdict, verdictText } from './verdict/verdict.ts';
