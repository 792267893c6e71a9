import { pbkdf2Sync, randomBytes, randomUUID } from 'node:crypto';
import {
  Admin,
  alterUserScramCredentialsV0,
  type ClusterPartitionMetadata,
  fetchV17,
  Producer,
} from '@platformatic/kafka';
import { eventually } from '@quorate/testbed';

/** What stands in a log. */
export interface Logged {
  readonly offset: bigint;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [string, string])[];
  readonly timestamp: number;
  /** A marker of a transaction, which is no message. */
  readonly control: boolean;
  readonly transactional: boolean;
}

export interface WantedTopic {
  readonly partitions?: number;
  readonly replication?: number;
  readonly settings?: Readonly<Record<string, string>>;
}

/** Looks at a cluster, and changes it, by other ways than the drivers: reads logs as they are, with all that readers never see. */
export class Witness implements AsyncDisposable {
  readonly #admin: Admin;
  readonly #producer: Producer;

  constructor(brokers: readonly string[]) {
    const options = {
      clientId: 'witness',
      bootstrapBrokers: [...brokers],
      retries: 100,
      retryDelay: 50,
      timeout: 5_000,
    };
    this.#admin = new Admin(options);
    this.#producer = new Producer(options);
  }

  async topic({ partitions = 1, replication = 1, settings = {} }: WantedTopic = {}): Promise<string> {
    const topic = `t-${randomUUID().slice(0, 13)}`;
    // A test may write records of long ago, and a broker looks, half a minute after its start, for what is too old.
    const kept = { 'retention.ms': '-1', ...settings };
    const configs = Object.entries(kept).map(([name, value]) => ({ name, value }));
    await this.#admin.createTopics({ topics: [topic], partitions, replicas: replication, configs });
    await eventually('it can be asked for', async () => {
      for (let partition = 0; partition < partitions; partition += 1) await this.end(topic, partition);
      return true;
    });
    return topic;
  }

  async produce(
    topic: string,
    partition: number,
    values: readonly (string | Buffer)[],
    compression: 'none' | 'gzip' = 'none',
  ): Promise<void> {
    const messages = values.map((value) => ({ topic, partition, value: Buffer.from(value) }));
    await this.#producer.send({ messages, acks: -1, compression });
  }

  async partition(topic: string, partition: number): Promise<ClusterPartitionMetadata> {
    const { topics } = await this.#admin.metadata({ topics: [topic], forceUpdate: true });
    const found = topics.get(topic)?.partitions[partition];
    if (!found || found.leader < 0) throw new Error(`${topic}-${partition} has no leader`);
    return found;
  }

  /** All of it, from where it begins. */
  async log(topic: string, partition = 0): Promise<Logged[]> {
    const { leader } = await this.partition(topic, partition);
    const { topics } = await this.#admin.metadata({ topics: [topic] });
    const topicId = topics.get(topic)?.id ?? '';
    const connection = (await this.#admin.connectToBrokers([leader])).get(leader);
    if (!connection) throw new Error(`broker ${leader} is away`);
    const logged: Logged[] = [];
    let next = await this.begin(topic, partition);
    const end = await this.end(topic, partition);
    while (next < end) {
      const wanted = {
        partition,
        currentLeaderEpoch: -1,
        fetchOffset: next,
        lastFetchedEpoch: -1,
        partitionMaxBytes: 2 ** 24,
      };
      const asked = [{ topicId, partitions: [wanted] }];
      const { responses } = await fetchV17.api.async(connection, 100, 1, 2 ** 25, 0, 0, -1, asked, [], '');
      const before = next;
      for (const batch of responses[0]?.partitions[0]?.records ?? []) {
        for (const record of batch.records) {
          const offset = batch.firstOffset + BigInt(record.offsetDelta);
          if (offset < next) continue;
          logged.push({
            offset,
            key: record.key?.toString() ?? null,
            value: record.value?.toString() ?? null,
            headers: record.headers.map(([name, value]) => [String(name), String(value)] as const),
            timestamp: Number(batch.firstTimestamp + record.timestampDelta),
            control: (batch.attributes & 0b10_0000) !== 0,
            transactional: (batch.attributes & 0b1_0000) !== 0,
          });
        }
        next = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n;
      }
      if (next === before) throw new Error(`nothing at ${next} of ${topic}-${partition}, which ends at ${end}`);
    }
    return logged;
  }

  /** The values in it, without markers. */
  async values(topic: string, partition = 0): Promise<(string | null)[]> {
    return (await this.log(topic, partition)).filter(({ control }) => !control).map(({ value }) => value);
  }

  begin(topic: string, partition = 0): Promise<bigint> {
    return this.#offset(topic, partition, -2n);
  }

  end(topic: string, partition = 0): Promise<bigint> {
    return this.#offset(topic, partition, -1n);
  }

  async #offset(topic: string, partition: number, timestamp: bigint): Promise<bigint> {
    const topics = [{ name: topic, partitions: [{ partitionIndex: partition, timestamp }] }];
    const [found] = await this.#admin.listOffsets({ topics, isolationLevel: 0 });
    const offset = found?.partitions[0]?.offset;
    if (offset === undefined || offset < 0n) throw new Error(`${topic}-${partition} has no offsets`);
    return offset;
  }

  /** As retention does. */
  async deleteRecords(topic: string, partition: number, before: bigint): Promise<void> {
    await this.#admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition, offset: before }] }] });
  }

  /** So that there are so many, wherever brokers put them. */
  async addPartitions(topic: string, count: number): Promise<void> {
    await this.#admin.createPartitions({ topics: [{ name: topic, count, assignments: null as never }] });
    await eventually('they can be asked for', () => this.end(topic, count - 1).then(() => true));
  }

  topics(): Promise<string[]> {
    return this.#admin.listTopics({ includeInternals: false });
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.#admin.deleteTopics({ topics: [topic] });
  }

  async committed(group: string, topic: string, partition = 0): Promise<bigint | undefined> {
    const [found] = await this.#admin.listConsumerGroupOffsets({ groups: [group] });
    const partitions = found?.topics.find(({ name }) => name === topic)?.partitions;
    const offset = partitions?.find(({ partitionIndex }) => partitionIndex === partition)?.committedOffset;
    return offset === undefined || offset < 0n ? undefined : offset;
  }

  /** Lets a user log in by a password of which the broker keeps a hash alone. */
  async addUser(name: string, password: string, mechanism: 'sha256' | 'sha512'): Promise<void> {
    const [salt, iterations] = [randomBytes(16), 4_096];
    const [number, length] = mechanism === 'sha256' ? [1, 32] : [2, 64];
    const saltedPassword = pbkdf2Sync(password, salt, iterations, length, mechanism);
    const [connection] = (await this.#admin.connectToBrokers()).values();
    if (!connection) throw new Error('no broker');
    const user = { name, mechanism: number, iterations, salt, saltedPassword };
    await alterUserScramCredentialsV0.api.async(connection, [], [user]);
  }

  async groups(): Promise<string[]> {
    return [...(await this.#admin.listGroups()).keys()].sort();
  }

  /** How many members it has. */
  async members(group: string): Promise<number> {
    return (await this.#admin.describeGroups({ groups: [group] })).get(group)?.members.size ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#admin.close(), this.#producer.close()]);
  }
}
