import { deadline, sleep } from '@quorate/core';
import { KafkaUnreachableError } from '../../errors/kafka-unreachable-error.ts';
import { RefusedError } from '../../errors/refused-error.ts';
import { UnknownTopicError } from '../../errors/unknown-topic-error.ts';
import type { Admin, GroupDescription, TopicShape } from '../admin.ts';
import type { GroupOffset } from '../transactor.ts';
import type { Address } from '../wire.ts';
import { type Cluster, newsTakes } from './cluster.ts';
import type { Asking } from './connections.ts';
import { Again } from './failure.ts';
import { commitOffsets, committedOffsets, earliest, keyOf, latest, listOffsets } from './offsets.ts';
import { persist } from './persist.ts';
import { decodeAssignment } from './protocol/consumer-protocol.ts';
import { nameOf } from './protocol/error-names.ts';
import { consumerGroupDescribe, deleteGroups, describeGroups, listGroups } from './protocol/groups.ts';
import { metadata } from './protocol/metadata.ts';
import { createPartitions, createTopics, deleteTopics, describeConfigs, topicResource } from './protocol/topics.ts';

/** The groups of consumers, and those of which only their offsets are left. */
const consumerGroups: ReadonlySet<string> = new Set(['consumer', '']);

const noGroup: GroupDescription = { state: 'Dead', members: [] };
const notThere: ReadonlySet<string> = new Set(['GROUP_ID_NOT_FOUND', 'UNSUPPORTED_VERSION']);

export class KafkaAdmin implements Admin {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async topics(signal: AbortSignal): Promise<readonly string[]> {
    return await this.#try({ what: 'list the topics', signal }, async (asking) => {
      const { topics } = await this.#cluster.askAny(metadata, { topics: null }, asking);
      return topics.flatMap(({ name, isInternal }) => (name && !isInternal ? [name] : [])).toSorted();
    });
  }

  async leaders(topic: string, signal: AbortSignal): Promise<readonly number[] | undefined> {
    return await this.#try({ what: `find who leads "${topic}"`, signal }, async (asking) => {
      const plan = (await this.#cluster.look([topic], asking)).get(topic);
      return plan ? plan.leaders : this.#absent(topic);
    });
  }

  async describeTopic(name: string, settings: readonly string[], signal: AbortSignal): Promise<TopicShape | undefined> {
    const what = `describe the topic "${name}"`;
    return await this.#try({ what, signal }, async (asking) => {
      const plan = (await this.#cluster.look([name], asking)).get(name);
      if (!plan) return this.#absent(name);
      const shape = { partitions: plan.leaders.length, replication: plan.replication };
      if (settings.length === 0) return { ...shape, settings: {} };
      const resources = [{ resourceType: topicResource, resourceName: name, configurationKeys: settings }];
      const answer = await this.#cluster.askAny(describeConfigs, { resources }, asking);
      const found: Record<string, string> = {};
      for (const { errorCode, configs } of answer.results) {
        if (nameOf(errorCode) === 'UNKNOWN_TOPIC_OR_PARTITION') return undefined;
        this.#cluster.check(errorCode, { what, topic: name });
        for (const { name: setting, value } of configs) if (value !== null) found[setting] = value;
      }
      return { ...shape, settings: found };
    });
  }

  async createTopic(name: string, shape: TopicShape, signal: AbortSignal): Promise<boolean> {
    const what = `make the topic "${name}"`;
    const { requestTimeout } = this.#cluster.settings;
    const topic = {
      name,
      numPartitions: shape.partitions,
      replicationFactor: shape.replication,
      configs: Object.entries(shape.settings).map(([name, value]) => ({ name, value })),
    };
    const made = await this.#try({ what, signal }, async (asking) => {
      const timeoutMs = Math.ceil(requestTimeout * 0.8);
      const answer = await this.#cluster.askAny(createTopics, { topics: [topic], timeoutMs }, asking, requestTimeout);
      const [{ errorCode } = { errorCode: 0 }] = answer.topics;
      const reason = nameOf(errorCode);
      // Perhaps by us, if an earlier answer was lost: whoever asks has to look at its shape then, as always.
      if (reason === 'TOPIC_ALREADY_EXISTS') return false;
      this.#cluster.check(errorCode, { what, topic: name });
      return true;
    });
    await this.#readyInTime(name, made ? 1 : undefined, { what, signal });
    return made;
  }

  async enlargeTopic(name: string, partitions: number, signal: AbortSignal): Promise<void> {
    const what = `add partitions to the topic "${name}"`;
    const { requestTimeout } = this.#cluster.settings;
    await this.#try({ what, signal }, async (asking) => {
      const plan = (await this.#cluster.look([name], asking)).get(name);
      if (!plan) throw this.#cluster.unplanned(name);
      if (plan.leaders.length >= partitions) return;
      const ask = { topics: [{ name, count: partitions }], timeoutMs: Math.ceil(requestTimeout * 0.8) };
      const answer = await this.#cluster.askAny(createPartitions, ask, asking, requestTimeout);
      for (const { errorCode } of answer.results) {
        // It has as many: somebody else was faster, or an earlier answer was lost.
        if (nameOf(errorCode) === 'INVALID_PARTITIONS') continue;
        this.#cluster.check(errorCode, { what, topic: name });
      }
    });
    await this.#readyInTime(name, partitions, { what, signal });
  }

  async deleteTopic(name: string, signal: AbortSignal): Promise<void> {
    const what = `delete the topic "${name}"`;
    const { requestTimeout } = this.#cluster.settings;
    let sent = 0;
    const asking = {
      what,
      signal,
      sent: (): void => {
        sent += 1;
      },
    };
    await this.#try(asking, async () => {
      const ask = { topicNames: [name], timeoutMs: Math.ceil(requestTimeout * 0.8) };
      const answer = await this.#cluster.askAny(deleteTopics, ask, asking, requestTimeout);
      for (const { errorCode } of answer.responses) {
        const reason = nameOf(errorCode);
        // Deleted by us, when an earlier answer was lost.
        if (reason === 'UNKNOWN_TOPIC_OR_PARTITION' && sent > 1) return;
        this.#cluster.check(errorCode, { what, topic: name });
      }
    });
  }

  async offsets(
    topic: string,
    at: 'earliest' | 'latest' | number,
    signal: AbortSignal,
    { lenient = false }: { readonly lenient?: boolean } = {},
  ): Promise<ReadonlyMap<number, bigint>> {
    return await this.#try({ what: `find offsets of "${topic}"`, signal }, async (asked) => {
      const asking = { ...asked, lenient };
      const plan = (await this.#cluster.look([topic], asking)).get(topic);
      if (!plan) throw this.#cluster.unplanned(topic);
      const partitions = [...plan.leaders.keys()].map((partition) => ({ topic, partition }));
      const timestamp = at === 'earliest' ? earliest : at === 'latest' ? latest : BigInt(at);
      const found = await listOffsets(this.#cluster, partitions, timestamp, asking);
      // No message is of that time or later: it is the next one.
      const none = partitions.filter((partition) => (found.get(keyOf(partition)) ?? 0n) < 0n);
      const ends = none.length > 0 ? await listOffsets(this.#cluster, none, latest, asking) : new Map<string, bigint>();
      const offsets = new Map<number, bigint>();
      for (const one of partitions) {
        const offset = ends.get(keyOf(one)) ?? found.get(keyOf(one));
        if (offset !== undefined && offset >= 0n) offsets.set(one.partition, offset);
      }
      return offsets;
    });
  }

  async groups(signal: AbortSignal): Promise<readonly string[]> {
    const what = 'list the groups';
    return await this.#try({ what, signal }, async (asking) => {
      await this.#cluster.look([], asking);
      // Each broker knows those that it coordinates.
      const lists = this.#cluster.brokers.map(async (broker) => {
        const answer = await this.#cluster.connections.ask(broker, listGroups, { statesFilter: [] }, asking);
        this.#cluster.check(answer.errorCode, { what });
        return answer.groups.filter(({ protocolType }) => consumerGroups.has(protocolType));
      });
      return [...new Set((await Promise.all(lists)).flat().map(({ groupId }) => groupId))].toSorted();
    });
  }

  async describeGroup(group: string, signal: AbortSignal): Promise<GroupDescription> {
    const what = `describe the group "${group}"`;
    return await this.#coordinated(group, { what, signal }, async (address, asking) => {
      const answer = await this.#cluster.connections.ask(address, describeGroups, { groups: [group] }, asking);
      const [found] = answer.groups;
      if (!found) throw new RefusedError(what, 'GROUP_ID_NOT_FOUND');
      this.#cluster.check(found.errorCode, { what, group });
      // So it says of groups by the protocol of Kafka 4 as well.
      if (found.groupState === 'Dead') return (await this.#describeNewGroup(group, address, asking)) ?? noGroup;
      const members = found.members.map(({ memberId: id, clientId, clientHost: host, memberAssignment }) => {
        const { assignedPartitions } = decodeAssignment(memberAssignment);
        const partitions = assignedPartitions.flatMap(({ topic, partitions }) =>
          partitions.map((partition) => ({ topic, partition })),
        );
        return { id, clientId, host, partitions };
      });
      return { state: found.groupState, members };
    });
  }

  /** By the protocol of Kafka 4; undefined where there is no such group, or the broker does not know the protocol. */
  async #describeNewGroup(group: string, address: Address, asking: Asking): Promise<GroupDescription | undefined> {
    const ask = { groupIds: [group] };
    const answer = await this.#cluster.connections
      .ask(address, consumerGroupDescribe, ask, asking)
      .catch(unlessUnspoken);
    const found = answer?.groups[0];
    if (!found || notThere.has(nameOf(found.errorCode))) return undefined;
    this.#cluster.check(found.errorCode, { what: asking.what, group });
    const members = found.members.map(({ memberId: id, clientId, clientHost: host, assignment }) => {
      const partitions = assignment.topicPartitions.flatMap(({ topicName: topic, partitions }) =>
        partitions.map((partition) => ({ topic, partition })),
      );
      return { id, clientId, host, partitions };
    });
    return { state: found.groupState, members };
  }

  async committed(group: string, topics: readonly string[], signal: AbortSignal): Promise<readonly GroupOffset[]> {
    const what = `find what "${group}" has committed`;
    return await this.#try({ what, signal }, async (asking) => {
      const plans = await this.#cluster.look(topics, asking);
      const partitions = [...plans].flatMap(([topic, { leaders }]) =>
        [...leaders.keys()].map((partition) => ({ topic, partition })),
      );
      const named = await committedOffsets(this.#cluster, group, partitions, asking);
      if (plans.size === topics.length) return named;
      // Whoever does not know a topic does not know that there is nothing.
      const all = await committedOffsets(this.#cluster, group, 'all', asking);
      return [...named, ...all.filter(({ topic }) => topics.includes(topic) && !plans.has(topic))];
    });
  }

  async commit(group: string, offsets: readonly GroupOffset[], signal: AbortSignal): Promise<void> {
    if (offsets.length === 0) return;
    const what = `commit for the group "${group}"`;
    await this.#coordinated(group, { what, signal }, async (address, asking) => {
      await commitOffsets(this.#cluster, address, { group, generation: -1, member: '' }, offsets, asking);
    });
  }

  async deleteGroup(group: string, signal: AbortSignal): Promise<void> {
    const what = `delete the group "${group}"`;
    await this.#coordinated(group, { what, signal }, async (address, asking) => {
      const answer = await this.#cluster.connections.ask(address, deleteGroups, { groupsNames: [group] }, asking);
      for (const { errorCode } of answer.results) this.#cluster.check(errorCode, { what, group });
    });
  }

  /** Nothing, of a topic that there is not; one that we may not see is none of these. */
  #absent(topic: string): undefined {
    const failure = this.#cluster.unplanned(topic);
    if (!(failure instanceof UnknownTopicError)) throw failure;
    return undefined;
  }

  /** Somebody else may have made it just now. Of one that has long been there, a part may be away for as long as a broker is. */
  async #readyInTime(name: string, made: number | undefined, { what, signal }: Asking): Promise<void> {
    const isNew = made !== undefined;
    using limit = deadline(isNew ? this.#cluster.settings.deliveryTimeout : newsTakes, signal);
    try {
      await this.#ready(name, made ?? 1, { what, signal: limit.signal });
    } catch (error) {
      signal.throwIfAborted();
      if (!limit.signal.aborted) throw error;
      if (isNew) throw new KafkaUnreachableError(what, { cause: new Error('not every broker knows it in time') });
    }
  }

  /** Waits until every broker that answers knows who leads each partition, and of so many at least. */
  async #ready(name: string, least: number, asking: Asking): Promise<void> {
    await this.#try(asking, async () => await this.#cluster.look([name], asking));
    for (const broker of this.#cluster.brokers) {
      for (let pause = 20; ; pause = Math.min(500, pause * 2)) {
        const asked = this.#cluster.connections.ask(broker, metadata, { topics: [name] }, asking);
        const answer = await asked.catch((error: unknown) => {
          if (error instanceof Again) return undefined;
          throw error;
        });
        if (!answer) break;
        const [topic] = answer.topics;
        const led = topic?.partitions.every(({ leaderId }) => leaderId >= 0);
        if (topic?.errorCode === 0 && led && topic.partitions.length >= least) break;
        await sleep(pause, { signal: asking.signal });
      }
    }
  }

  async #coordinated<T>(
    group: string,
    asking: Asking,
    ask: (address: Address, asking: Asking) => Promise<T>,
  ): Promise<T> {
    const asked = { what: asking.what, group };
    return await this.#try(asking, async () => {
      const address = await this.#cluster.coordinator('group', group, asked, asking);
      return await ask(address, asking);
    });
  }

  async #try<T>(asking: Asking, attempt: (asking: Asking) => Promise<T>): Promise<T> {
    return await persist(() => attempt(asking), this.#cluster.patience(asking.signal));
  }
}

/** A broker that does not know the request has no such group. */
function unlessUnspoken(error: unknown): undefined {
  if (error instanceof RefusedError && error.reason === 'UNSUPPORTED_VERSION') return undefined;
  throw error;
}
