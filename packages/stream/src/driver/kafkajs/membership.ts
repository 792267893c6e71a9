import { deadline } from '@quorate/core';
import { NotAMemberError } from '../../errors/not-a-member-error.ts';
import type { GroupReaderOptions } from '../group-reader.ts';
import type { TopicPartition } from '../record.ts';
import type { GroupOffset } from '../transactor.ts';
import { partitionsIn, protocolNames, share, topicsOf } from './assignment.ts';
import { commitTopics } from './commit-topics.ts';
import { Coordinator } from './coordinator.ts';
import { reasonOf } from './failure.ts';
import type { Broker, JoinedGroup } from './kafkajs-package.ts';
import type { Link } from './link.ts';
import { race } from './race.ts';

/** What was agreed on when the group last shared its partitions out. */
export interface Generation {
  readonly number: number;
  /** It decides who gets what, and has to notice new partitions. */
  readonly leads: boolean;
  readonly partitions: readonly TopicPartition[];
  /** When the request was sent whose answer says that we are a member. */
  readonly confirmedAt: number;
}

/** How long the end waits for the group to take note. Without that, the group waits for the session to run out. */
const leaveWithin = 2_000;

/** How long the end of a join that was just sent waits to be given a name to leave by. */
const namedWithin = 500;

/** How long the members have to come when the partitions are shared out anew, besides what each may take to let go of its own. */
const joinWithin = 5_000;

/** This process as the coordinator of the group knows it. */
export class Membership {
  readonly coordinator: Coordinator;
  readonly #link: Link;
  readonly #options: GroupReaderOptions;
  #memberId = '';
  /** A join that is under way, and whether it has given us a name yet. */
  #joining: PromiseWithResolvers<void> | undefined;

  constructor(link: Link, options: GroupReaderOptions) {
    this.#link = link;
    this.#options = options;
    this.coordinator = new Coordinator(link, { group: options.group });
    link.onMemberId = (id) => {
      this.#memberId = id;
      this.#joining?.resolve();
    };
  }

  /** Waits until all members have come. Rejects with an error of the package: the caller tries again. */
  async join(signal: AbortSignal): Promise<Generation> {
    const { group: groupId } = this.#options;
    const broker = await race(this.coordinator.find(), signal);
    const joined = await this.#join(broker, signal);
    const { generationId, memberId, leaderId, members } = joined;
    this.#memberId = memberId;
    const leads = memberId === leaderId;
    if (leads) await race(this.#link.look(topicsOf(this.#link.protocol, members)), signal);
    const confirmedAt = performance.now();
    const groupAssignment = leads ? share(this.#link, members) : [];
    const synced = await race(broker.syncGroup({ groupId, generationId, memberId, groupAssignment }), signal);
    const partitions = partitionsIn(this.#link.protocol, synced.memberAssignment);
    return { number: generationId, leads, partitions, confirmedAt };
  }

  async #join(broker: Broker, signal: AbortSignal): Promise<JoinedGroup> {
    const { group: groupId, topics, sessionTimeout, handOver } = this.#options;
    const metadata = this.#link.protocol.MemberMetadata.encode({
      version: 0,
      topics: [...topics],
      userData: Buffer.alloc(0),
    });
    this.#joining = Promise.withResolvers<void>();
    const joined = await race(
      broker.joinGroup({
        groupId,
        memberId: this.#memberId,
        sessionTimeout,
        rebalanceTimeout: handOver + joinWithin,
        groupProtocols: protocolNames.map((name) => ({ name, metadata })),
      }),
      signal,
    );
    this.#joining = undefined;
    return joined;
  }

  /** After this error of a join or a heartbeat; says whether the coordinator counts us as gone. */
  noted(error: unknown): boolean {
    const reason = reasonOf(error);
    const gone = reason === 'UNKNOWN_MEMBER_ID' || reason === 'FENCED_INSTANCE_ID';
    if (gone) this.#memberId = '';
    // Whatever is not about the members may be about the broker.
    if (!gone && reason !== 'REBALANCE_IN_PROGRESS' && reason !== 'ILLEGAL_GENERATION') this.coordinator.forget();
    return gone;
  }

  /** Resolves when the coordinator counts us as a member, with when it was asked, and whether it waits for all to join anew. */
  async beat({ number }: Generation, signal: AbortSignal): Promise<{ sentAt: number; sharedOut: boolean }> {
    const { group: groupId, sessionTimeout } = this.#options;
    const broker = await race(this.coordinator.find(), signal);
    using limit = deadline(sessionTimeout / 3, signal);
    const sentAt = performance.now();
    try {
      await race(broker.heartbeat({ groupId, groupGenerationId: number, memberId: this.#memberId }), limit.signal);
      return { sentAt, sharedOut: false };
    } catch (error) {
      if (reasonOf(error) === 'REBALANCE_IN_PROGRESS') return { sentAt, sharedOut: true };
      // Neither an answer nor an end of the connection: the broker may be cut off.
      if (limit.signal.aborted && !signal.aborted) this.coordinator.drop('no answer to a heartbeat');
      throw error;
    }
  }

  async commit({ number }: Generation, offsets: readonly GroupOffset[], limit: AbortSignal): Promise<void> {
    const { group } = this.#options;
    const memberId = this.#memberId;
    if (memberId === '') throw new NotAMemberError(group, 'the coordinator counts it as gone');
    const asked = { what: `commit offsets of "${group}"`, group };
    const as = { groupId: group, groupGenerationId: number, memberId };
    await this.coordinator.ask({ asked, limit, writes: true }, (broker) =>
      broker.offsetCommit({ ...as, topics: commitTopics(offsets) }),
    );
  }

  /** Never rejects. */
  async leave(): Promise<void> {
    const { group } = this.#options;
    if (this.#joining) {
      // The group would wait for a member that it has just given a name.
      if (this.#memberId === '') await race(this.#joining.promise, AbortSignal.timeout(namedWithin)).catch(() => {});
      // A broker answers in order on each connection: a join that waits for others would hold this up.
      this.coordinator.drop('the reader stops');
    }
    const memberId = this.#memberId;
    if (memberId === '') return;
    this.#memberId = '';
    using limit = deadline(leaveWithin);
    const asked = { what: `leave the group "${group}"`, group };
    await this.coordinator
      .ask({ asked, limit: limit.signal }, (broker) => broker.leaveGroup({ groupId: group, memberId }))
      .catch(() => {});
  }
}
