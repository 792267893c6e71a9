import { sleep } from '@quorate/core';
import { StreamClosedError } from '../../errors/stream-closed-error.ts';
import type { GroupReaderOptions } from '../group-reader.ts';
import type { TopicPartition } from '../record.ts';
import type { Address, WireMaker } from '../wire.ts';
import type { Cluster } from './cluster.ts';
import { type Asking, Connections } from './connections.ts';
import { Again, complaint } from './failure.ts';
import { until } from './persist.ts';
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from './protocol/consumer-protocol.ts';
import { nameOf } from './protocol/error-names.ts';
import { heartbeat, type JoinGroupAnswer, joinGroup, leaveGroup, syncGroup } from './protocol/group-membership.ts';
import { shares } from './shares.ts';

/** What a member is to do, from one sharing of the partitions to the next. */
export interface Generation {
  readonly id: number;
  readonly member: string;
  readonly partitions: readonly TopicPartition[];
  /** How many partitions each topic had, where this member has shared them out. */
  readonly counted: ReadonlyMap<string, number> | undefined;
  /** When it was confirmed, by `performance.now()`. */
  readonly confirmed: number;
}

/** As clients of other libraries name the same: a group may have members of both. */
const protocols = ['RoundRobinAssigner', 'roundrobin'] as const;

/**
 * The membership in a group, by its classic protocol. Knows the requests and who answers them, and does nothing by itself: when to
 * join, to beat and to leave is the reader's.
 */
export class Membership {
  readonly #cluster: Cluster;
  readonly #options: GroupReaderOptions;
  /** A broker answers a join when all members have joined: it keeps nobody else waiting. */
  readonly #joining: Connections;
  readonly #beating: Connections;
  readonly #rebalanceTimeout: number;
  readonly #closed = new AbortController();
  #coordinator: Address | undefined;
  #member = '';
  /** Settles when the member's name is known that was asked for last. */
  #named: Promise<void> = Promise.resolve();

  constructor(wires: WireMaker, cluster: Cluster, options: GroupReaderOptions) {
    const { sessionTimeout, handOver } = options;
    const { settings } = cluster;
    this.#cluster = cluster;
    this.#options = options;
    // The others learn of it by their next beat, and hand over then.
    this.#rebalanceTimeout = handOver + sessionTimeout;
    const joinTimeout = this.#rebalanceTimeout + settings.requestTimeout;
    this.#joining = new Connections(wires, settings, { requestTimeout: joinTimeout });
    const beatTimeout = Math.min(settings.requestTimeout, sessionTimeout / 2);
    this.#beating = new Connections(wires, settings, { requestTimeout: beatTimeout });
  }

  get #what(): string {
    return `read as a member of "${this.#options.group}"`;
  }

  /** Takes part in the next sharing of the partitions. Once: rejects with `Again`. */
  async join(signal: AbortSignal): Promise<Generation> {
    const { group, topics, sessionTimeout } = this.#options;
    const metadata = encodeSubscription({ topics });
    const answer = await this.#ask(signal, (coordinator, { what }) => {
      const ask = {
        groupId: group,
        sessionTimeoutMs: sessionTimeout,
        rebalanceTimeoutMs: this.#rebalanceTimeout,
        memberId: this.#member,
        protocols: protocols.map((name) => ({ name, metadata })),
      };
      // Whoever gives up waits for its answer: a member that nobody names would keep the others waiting.
      const joining = this.#joining.ask(coordinator, joinGroup, ask, { what, signal: this.#closed.signal });
      const name = ({ memberId }: JoinGroupAnswer): void => {
        this.#member ||= memberId;
      };
      this.#named = joining.then(name, () => {});
      return until(joining, signal);
    });
    const reason = nameOf(answer.errorCode);
    if (reason === 'MEMBER_ID_REQUIRED') {
      this.#member = answer.memberId;
      return await this.join(signal);
    }
    this.#check(reason);
    this.#member = answer.memberId;
    return await this.#sync(answer, signal);
  }

  /** Tells the group that we are there: whether the partitions are to be shared out anew. Rejects with `Again`, or as no member any more. */
  async beat({ id, member }: Generation, signal: AbortSignal): Promise<'well' | 'rebalance'> {
    const ask = { groupId: this.#options.group, generationId: id, memberId: member };
    const answer = await this.#ask(signal, (coordinator, asking) =>
      this.#beating.ask(coordinator, heartbeat, ask, asking),
    );
    const reason = nameOf(answer.errorCode);
    if (reason === 'REBALANCE_IN_PROGRESS') return 'rebalance';
    this.#check(reason);
    return 'well';
  }

  /** Runs what asks the coordinator of the group; who that is, is asked anew after a failure. */
  async coordinated<T>(signal: AbortSignal, run: (coordinator: Address) => Promise<T>): Promise<T> {
    const asking = { what: this.#what, signal };
    const asked = { what: this.#what, group: this.#options.group };
    this.#coordinator ??= await this.#cluster.coordinator('group', this.#options.group, asked, asking);
    try {
      return await run(this.#coordinator);
    } catch (error) {
      if (error instanceof Again) this.#coordinator = undefined;
      throw error;
    }
  }

  /** As well as it can be done within this time: without it the group waits for the session's end. */
  async leave(within: number): Promise<void> {
    const over = new AbortController();
    const left = this.#leave(over.signal).catch(() => {});
    await Promise.race([left, sleep(within, { signal: over.signal }).catch(() => {})]);
    over.abort();
    this.#closed.abort(new StreamClosedError('the reader'));
  }

  close(): void {
    this.#joining.close();
    this.#beating.close();
  }

  async #leave(signal: AbortSignal): Promise<void> {
    if (!this.#member) await until(this.#named, signal);
    if (!this.#member) return;
    const ask = { groupId: this.#options.group, members: [{ memberId: this.#member }] };
    await this.#ask(signal, (coordinator, asking) => this.#beating.ask(coordinator, leaveGroup, ask, asking));
  }

  async #sync(joined: JoinGroupAnswer, signal: AbortSignal): Promise<Generation> {
    const { group } = this.#options;
    const { generationId: id, memberId: member, protocolName } = joined;
    const leads = joined.leader === member;
    const { assignments, counted } = leads
      ? await this.#share(joined.members, signal)
      : { assignments: [], counted: undefined };
    const confirmed = performance.now();
    const ask = { groupId: group, generationId: id, memberId: member, protocolName, assignments };
    const answer = await this.#ask(signal, (coordinator, asking) =>
      this.#joining.ask(coordinator, syncGroup, ask, asking),
    );
    this.#check(nameOf(answer.errorCode));
    const { assignedPartitions } = decodeAssignment(answer.assignment);
    const partitions = assignedPartitions.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    );
    return { id, member, partitions, counted, confirmed };
  }

  async #share(
    members: JoinGroupAnswer['members'],
    signal: AbortSignal,
  ): Promise<{ assignments: { memberId: string; assignment: Buffer }[]; counted: ReadonlyMap<string, number> }> {
    const wishes = new Map<string, readonly string[]>();
    for (const { memberId, metadata } of members) {
      wishes.set(memberId, decodeSubscription(metadata).topics);
    }
    const counted = await this.count([...new Set([...wishes.values()].flat())], signal);
    const assignments = [...shares(wishes, counted)].map(([memberId, share]) => {
      const assignedPartitions = [...Map.groupBy(share, ({ topic }) => topic)].map(([topic, some]) => ({
        topic,
        partitions: some.map(({ partition }) => partition),
      }));
      return { memberId, assignment: encodeAssignment({ assignedPartitions }) };
    });
    return { assignments, counted };
  }

  /** How many partitions these topics have. */
  async count(topics: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const plans = await this.#cluster.look(topics, { what: this.#what, signal });
    return new Map(topics.map((topic) => [topic, plans.get(topic)?.leaders.length ?? 0]));
  }

  async #ask<Answer>(
    signal: AbortSignal,
    ask: (coordinator: Address, asking: Asking) => Promise<Answer>,
  ): Promise<Answer> {
    return await this.coordinated(signal, (coordinator) => ask(coordinator, { what: this.#what, signal }));
  }

  #check(reason: string): void {
    if (reason === 'NONE') return;
    const failure = complaint(reason, { what: this.#what, group: this.#options.group });
    if (reason === 'UNKNOWN_MEMBER_ID' || reason === 'FENCED_INSTANCE_ID') this.#member = '';
    if (failure instanceof Again) this.#coordinator = undefined;
    throw failure;
  }
}
