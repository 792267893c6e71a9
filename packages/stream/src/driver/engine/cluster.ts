import { deadline, type QuorateError } from '@quorate/core';
import { KafkaUnreachableError } from '../../errors/kafka-unreachable-error.ts';
import { UnknownTopicError } from '../../errors/unknown-topic-error.ts';
import type { Asked } from '../refusal.ts';
import type { ConnectionSettings } from '../settings.ts';
import type { Address } from '../wire.ts';
import type { Asking, Connections } from './connections.ts';
import { Again, complaint } from './failure.ts';
import { type Patience, persist } from './persist.ts';
import { nameOf } from './protocol/error-names.ts';
import { findCoordinator } from './protocol/find-coordinator.ts';
import { metadata } from './protocol/metadata.ts';
import type { Request } from './protocol/request.ts';

export interface TopicPlan {
  /** Another one when the topic was deleted and made again. */
  readonly id: string;
  /** Of each partition, the broker that leads it: -1 when there is none. */
  readonly leaders: readonly number[];
  readonly replication: number;
}

/** How long a topic may be unknown to a broker that answers: it was made a moment ago, perhaps. */
export const newsTakes = 5_000;

const keyTypes = { group: 0, transaction: 1 } as const;

/** Knows who leads and who coordinates, as far as it was told, and asks anew. */
export class Cluster {
  readonly connections: Connections;
  readonly settings: ConnectionSettings;
  readonly #bootstrap: readonly Address[];
  readonly #brokers: Map<number, Address> = new Map();
  readonly #plans: Map<string, TopicPlan> = new Map();
  readonly #refused: Map<string, QuorateError> = new Map();
  #first = 0;

  constructor(connections: Connections, settings: ConnectionSettings) {
    this.connections = connections;
    this.settings = settings;
    this.#bootstrap = settings.brokers.map(addressOf);
  }

  get brokers(): readonly Address[] {
    return [...this.#brokers.values()];
  }

  /** How long a start, or a look, is tried. */
  patience(signal: AbortSignal): Patience {
    const { connectTimeout, requestTimeout } = this.settings;
    return { signal, unanswered: connectTimeout, answered: requestTimeout };
  }

  /** What was known at the last look: nothing of a topic that there is not, or that is not for us. */
  plan(topic: string): TopicPlan | undefined {
    return this.#plans.get(topic);
  }

  /** Why there is no plan. */
  unplanned(topic: string): QuorateError {
    return this.#refused.get(topic) ?? new UnknownTopicError(topic);
  }

  address(node: number): Address | undefined {
    return this.#brokers.get(node);
  }

  /**
   * Asks one broker, whichever answers; the one that did is the first to be asked the next time. What takes long has to say
   * so, in milliseconds: one that hangs is not to keep anybody from asking the next.
   */
  async askAny<Ask, Answer>(
    request: Request<Ask, Answer>,
    ask: Ask,
    asking: Asking,
    within: number = Math.min(this.settings.connectTimeout, this.settings.requestTimeout),
  ): Promise<Answer> {
    const known = [...this.#bootstrap, ...this.#brokers.values()];
    const first = this.#first;
    let last: unknown;
    for (let tried = 0; tried < known.length; tried += 1) {
      const at = (first + tried) % known.length;
      using limit = deadline(within, asking.signal);
      const { signal } = limit;
      try {
        const answer = await this.connections.ask(known[at] as Address, request, ask, { ...asking, signal });
        this.#first = at;
        return answer;
      } catch (error) {
        asking.signal.throwIfAborted();
        if (!(error instanceof Again || signal.aborted)) throw error;
        last = error instanceof Again ? error : new Again(new KafkaUnreachableError(asking.what, { cause: error }));
      }
    }
    throw last;
  }

  /** Asks who leads the partitions of these topics; gives the plans of those that there are. Once: rejects with `Again`. */
  async look(topics: readonly string[], asking: Asking): Promise<ReadonlyMap<string, TopicPlan>> {
    const answer = await this.askAny(metadata, { topics }, asking);
    for (const { nodeId, host, port } of answer.brokers) this.#brokers.set(nodeId, { host, port });
    const alive = new Set(answer.brokers.map(({ nodeId }) => nodeId));
    for (const node of this.#brokers.keys()) if (!alive.has(node)) this.#brokers.delete(node);
    const found = new Map<string, TopicPlan>();
    for (const { name: topic, errorCode, topicId: id, partitions } of answer.topics) {
      this.#refused.delete(topic);
      if (errorCode === 0) {
        const leaders: number[] = [];
        for (const { partitionIndex, leaderId } of partitions) leaders[partitionIndex] = leaderId;
        found.set(topic, { id, leaders, replication: partitions[0]?.replicaNodes.length ?? 0 });
        continue;
      }
      this.#plans.delete(topic);
      const reason = nameOf(errorCode);
      if (reason === 'UNKNOWN_TOPIC_OR_PARTITION' || reason === 'LEADER_NOT_AVAILABLE') continue;
      const failure = complaint(reason, { what: asking.what, topic });
      if (failure instanceof Again) throw failure;
      this.#refused.set(topic, failure);
    }
    for (const [topic, plan] of found) this.#plans.set(topic, plan);
    return found;
  }

  /** The plan of a topic that must be there: asks again for a while when it is not known. */
  async find(topic: string, asking: Asking): Promise<TopicPlan> {
    const patience = { ...this.patience(asking.signal), answered: newsTakes };
    return await persist(async () => {
      const plan = (await this.look([topic], asking)).get(topic);
      if (plan) return plan;
      const failure = this.unplanned(topic);
      throw failure instanceof UnknownTopicError ? new Again(failure, 'UNKNOWN_TOPIC_OR_PARTITION') : failure;
    }, patience);
  }

  /** Once: rejects with `Again`. */
  async coordinator(kind: keyof typeof keyTypes, key: string, asked: Asked, asking: Asking): Promise<Address> {
    const ask = { keyType: keyTypes[kind], coordinatorKeys: [key] };
    const answer = await this.askAny(findCoordinator, ask, asking);
    const [found] = answer.coordinators;
    if (!found) throw complaint('COORDINATOR_NOT_AVAILABLE', asked);
    this.check(found.errorCode, asked);
    return { host: found.host, port: found.port };
  }

  /** Throws what the code of an answer says, unless it says that all is well. */
  check(code: number, asked: Asked): void {
    if (code !== 0) throw complaint(nameOf(code), asked);
  }
}

/** Of `host:port`; the host may be an IPv6 address in brackets. */
function addressOf(broker: string): Address {
  const end = broker.lastIndexOf(':');
  return { host: broker.slice(0, end).replace(/^\[(.*)\]$/, '$1'), port: Number(broker.slice(end + 1)) };
}
