import { deadline } from '@quorate/core';
import { RefusedError } from '../../errors/refused-error.ts';
import { StreamClosedError } from '../../errors/stream-closed-error.ts';
import type { Admin, GroupDescription, TopicShape } from '../admin.ts';
import type { TopicPartition } from '../record.ts';
import type { Asked } from '../refusal.ts';
import type { GroupOffset } from '../transactor.ts';
import { type Ask, ask, type Whom } from './ask.ts';
import { partitionsIn } from './assignment.ts';
import { commitTopics } from './commit-topics.ts';
import { Coordinator } from './coordinator.ts';
import { Answer, reasonOf } from './failure.ts';
import type { Broker } from './kafkajs-package.ts';
import type { Link } from './link.ts';
import { lookFor } from './look-for.ts';
import { offsetsAt } from './offsets-at.ts';
import { race } from './race.ts';
import { stableOffsets } from './stable-offsets.ts';
import { partitionsNow, settingsNow } from './topic-now.ts';
import { usable } from './usable.ts';
import { anyOf, controllerOf } from './whom.ts';

/** How long a broker may take to make a topic, or to delete one. */
const changeWithin = 10_000;

const newTopicWithin = 2_000;
const noMember = { groupGenerationId: -1, memberId: '' };

/**
 * Asks brokers directly: the package's own admin fails for every topic when one has no leader, joins a group to set its
 * offsets, and says that a topic is there before all brokers know it.
 */
export class KafkajsAdmin implements Admin {
  readonly #open: (signal: AbortSignal) => Promise<Link>;

  constructor(open: (signal: AbortSignal) => Promise<Link>) {
    this.#open = open;
  }

  topics(signal: AbortSignal): Promise<readonly string[]> {
    return this.#within(signal, async (link, limit) => {
      const asked = { what: 'list the topics' };
      const { topicMetadata } = await ask(anyOf(link), { asked, limit }, (broker) => broker.metadata([]));
      return topicMetadata.filter(({ isInternal }) => !isInternal).map(({ topic }) => topic);
    });
  }

  leaders(name: string, signal: AbortSignal): Promise<readonly number[] | undefined> {
    return this.#within(signal, async (link, limit) => {
      const asked = { what: `look who leads "${name}"`, topic: name };
      const partitions = await partitionsNow(link, name, { asked, limit });
      return partitions?.map(({ leader }) => leader);
    });
  }

  describeTopic(name: string, settings: readonly string[], signal: AbortSignal): Promise<TopicShape | undefined> {
    return this.#within(signal, async (link, limit) => {
      const asked = { what: `describe the topic "${name}"`, topic: name };
      const partitions = await partitionsNow(link, name, { asked, limit });
      return (
        partitions && {
          partitions: partitions.length,
          replication: partitions[0]?.replicas.length ?? 0,
          settings: await settingsNow(link, name, settings, { asked, limit }),
        }
      );
    });
  }

  createTopic(name: string, shape: TopicShape, signal: AbortSignal): Promise<boolean> {
    return this.#within(signal, async (link, limit) => {
      const topic = {
        topic: name,
        numPartitions: shape.partitions,
        replicationFactor: shape.replication,
        configEntries: Object.entries(shape.settings).map(([setting, value]) => ({ name: setting, value })),
      };
      const asked = { what: `make the topic "${name}"`, topic: name };
      // When the answer to the first request was lost, whoever asks again is told that it is there: as with one made by others.
      const made = await ask(controllerOf(link), { ...changes, asked, limit }, async (broker) => {
        try {
          await broker.createTopics({ topics: [topic], timeout: changeWithin });
          return true;
        } catch (error) {
          if (reasonOf(error) === 'TOPIC_ALREADY_EXISTS') return false;
          throw error;
        }
      });
      if (made) await usable(link, name, limit);
      else await soonUsable(link, name, limit);
      return made;
    });
  }

  deleteTopic(name: string, signal: AbortSignal): Promise<void> {
    return this.#within(signal, async (link, limit) => {
      const asked = { what: `delete the topic "${name}"`, topic: name };
      await onceGone('UNKNOWN_TOPIC_OR_PARTITION', controllerOf(link), { ...changes, asked, limit }, (broker) =>
        broker.deleteTopics({ topics: [name], timeout: changeWithin }),
      );
    });
  }

  offsets(
    topic: string,
    at: 'earliest' | 'latest' | number,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<number, bigint>> {
    return this.#within(signal, async (link, limit) => {
      await lookFor(link, [topic], limit);
      const found = await offsetsAt(link, partitionsOf(link, topic), at, { signal: limit });
      return new Map([...found].map(([{ partition }, offset]) => [partition, offset]));
    });
  }

  groups(signal: AbortSignal): Promise<readonly string[]> {
    return this.#within(signal, async (link, limit) => {
      await race(link.look([]), limit);
      const asked = { what: 'list the groups' };
      const lists = link.nodes.map((node) =>
        ask({ find: () => link.broker(node), forget: () => {} }, { asked, limit }, (broker) => broker.listGroups()),
      );
      const groups = (await Promise.all(lists)).flatMap((list) => list.groups);
      return [...new Set(groups.map(({ groupId }) => groupId))];
    });
  }

  describeGroup(group: string, signal: AbortSignal): Promise<GroupDescription> {
    return this.#ofGroup(group, `describe the group "${group}"`, signal, async (coordinator, way, link) => {
      const { groups } = await coordinator.ask(way, (broker) => broker.describeGroups({ groupIds: [group] }));
      const { state = 'Dead', members = [] } = groups[0] ?? {};
      return {
        state,
        members: members.map(({ memberId, clientId, clientHost, memberAssignment }) => ({
          id: memberId,
          clientId,
          host: clientHost.replace(/^\//, ''),
          partitions: partitionsIn(link.protocol, memberAssignment),
        })),
      };
    });
  }

  committed(group: string, topics: readonly string[], signal: AbortSignal): Promise<readonly GroupOffset[]> {
    const what = `look for the offsets of "${group}"`;
    return this.#ofGroup(group, what, signal, async (coordinator, way, link) => {
      await lookFor(link, topics, way.limit);
      const partitions = topics.flatMap((topic) => partitionsOf(link, topic));
      if (partitions.length === 0) return [];
      const found = await coordinator.ask({ ...way, again: ['UNSTABLE_OFFSET_COMMIT'] }, (broker) =>
        stableOffsets(broker, group, partitions),
      );
      return [...found].map(([partition, offset]) => ({ ...partition, offset }));
    });
  }

  commit(group: string, offsets: readonly GroupOffset[], signal: AbortSignal): Promise<void> {
    const what = `commit offsets of "${group}"`;
    return this.#ofGroup(group, what, signal, async (coordinator, way) => {
      if (offsets.length === 0) return;
      await coordinator.ask({ ...way, writes: true }, (broker) =>
        broker
          .offsetCommit({ ...noMember, groupId: group, topics: commitTopics(offsets) })
          .catch((error: unknown) => Promise.reject(hasMembers(error, what))),
      );
    });
  }

  deleteGroup(group: string, signal: AbortSignal): Promise<void> {
    return this.#ofGroup(group, `delete the group "${group}"`, signal, async (coordinator, way) => {
      await onceGone('GROUP_ID_NOT_FOUND', coordinator, { ...way, writes: true }, async (broker) => {
        const { results } = await broker.deleteGroups([group]);
        const failed = results.find(({ errorCode }) => errorCode !== 0);
        if (failed) throw new Answer(failed.errorCode);
      });
    });
  }

  #ofGroup<T>(
    group: string,
    what: string,
    signal: AbortSignal,
    work: (coordinator: Coordinator, way: Ask, link: Link) => Promise<T>,
  ): Promise<T> {
    return this.#within(signal, (link, limit) =>
      work(new Coordinator(link, { group }), { asked: { what, group }, limit }, link),
    );
  }

  async #within<T>(signal: AbortSignal, work: (link: Link, limit: AbortSignal) => Promise<T>): Promise<T> {
    const link = await this.#open(signal);
    using limit = deadline(link.settings.deliveryTimeout, AbortSignal.any([signal, link.over]));
    try {
      return await work(link, limit.signal);
    } catch (error) {
      if (link.over.aborted) throw new StreamClosedError('the driver');
      throw signal.aborted ? signal.reason : error;
    }
  }
}

const changes = { writes: true, again: ['NOT_CONTROLLER', 'REQUEST_TIMED_OUT'] };

/** What is asked to be gone again, because an answer was lost, and is not there: that was done. */
async function onceGone(
  gone: string,
  whom: Whom,
  way: Ask,
  request: (broker: Broker) => Promise<unknown>,
): Promise<void> {
  let asked = 0;
  await ask(whom, way, async (broker) => {
    asked += 1;
    try {
      await request(broker);
    } catch (error) {
      if (asked === 1 || reasonOf(error) !== gone) throw error;
    }
  });
}

/** Somebody else may have made it just now. Of one that has long been there, a part may be away for as long as a broker is. */
async function soonUsable(link: Link, topic: string, limit: AbortSignal): Promise<void> {
  using soon = deadline(newTopicWithin, limit);
  await usable(link, topic, soon.signal).catch(() => limit.throwIfAborted());
}

function partitionsOf(link: Link, topic: string): readonly TopicPartition[] {
  return [...link.topic(topic).partitions.keys()].map((partition) => ({ topic, partition }));
}

/** A group with members takes offsets from those only: it says that it does not know this one. */
function hasMembers(error: unknown, what: Asked['what']): unknown {
  return reasonOf(error) === 'UNKNOWN_MEMBER_ID' ? new RefusedError(what, 'NON_EMPTY_GROUP', { cause: error }) : error;
}
