import type { API } from '@platformatic/kafka';
import type { Library } from './library.ts';
import { type ProduceArgs, produceRequests } from './produce.ts';

/** A request in each version that this driver speaks, the newest first. Their arguments and answers are alike. */
export interface Request<Args extends unknown[], Answer> {
  readonly key: number;
  readonly versions: readonly API<Args, Answer>[];
}

export type ArgsOf<Name extends keyof Requests> = Requests[Name] extends Request<infer Args, infer _> ? Args : never;
export type AnswerTo<Name extends keyof Requests> =
  Requests[Name] extends Request<infer _, infer Answer> ? Answer : never;

type Newest<Name extends keyof Library> = Library[Name] extends { readonly api: API<infer Args, infer Answer> }
  ? Request<Args, Answer>
  : never;

/**
 * What the driver asks of brokers, from Kafka 3.1 on: the first that names topics by id in a fetch.
 *
 * The library's clients on top of these are not used. Its Producer answers a sequence out of order by sending again under a new identity,
 * which can write a batch twice. Its Consumer joins the group by itself to repeat a commit that was refused, and then moves offsets of
 * partitions that are not ours any more. Its streams hand out records of aborted transactions.
 */
export interface Requests {
  readonly versions: Newest<'apiVersionsV3'>;
  readonly metadata: Newest<'metadataV12'>;
  readonly findCoordinator: Newest<'findCoordinatorV6'>;
  readonly produce: Request<ProduceArgs, ReturnType<Library['produceV11']['parseResponse']>>;
  readonly initProducerId: Newest<'initProducerIdV5'>;
  readonly addPartitionsToTxn: Newest<'addPartitionsToTxnV3'>;
  readonly addOffsetsToTxn: Newest<'addOffsetsToTxnV4'>;
  readonly txnOffsetCommit: Newest<'txnOffsetCommitV4'>;
  readonly endTxn: Newest<'endTxnV4'>;
  readonly fetch: Newest<'fetchV17'>;
  readonly listOffsets: Newest<'listOffsetsV9'>;
  readonly joinGroup: Newest<'joinGroupV9'>;
  readonly syncGroup: Newest<'syncGroupV5'>;
  readonly heartbeat: Newest<'heartbeatV4'>;
  readonly leaveGroup: Newest<'leaveGroupV5'>;
  readonly offsetFetch: Newest<'offsetFetchV9'>;
  readonly offsetCommit: Newest<'offsetCommitV9'>;
  readonly createTopics: Newest<'createTopicsV7'>;
  readonly deleteTopics: Newest<'deleteTopicsV6'>;
  readonly describeConfigs: Newest<'describeConfigsV4'>;
  readonly listGroups: Newest<'listGroupsV5'>;
  readonly describeGroups: Newest<'describeGroupsV5'>;
  readonly deleteGroups: Newest<'deleteGroupsV2'>;
}

export function requestsOf(library: Library): Requests {
  const { fetchV17, fetchV16, fetchV15, fetchV14, fetchV13 } = library;
  const { produceV11 } = library;
  const { joinGroupV9, joinGroupV8, joinGroupV7, joinGroupV6, joinGroupV5 } = library;
  const { listOffsetsV9, listOffsetsV8, listOffsetsV7, listOffsetsV6, listOffsetsV5 } = library;
  return {
    versions: request(library.apiVersionsV3),
    metadata: request(library.metadataV12, library.metadataV11, library.metadataV10),
    findCoordinator: request(library.findCoordinatorV6, library.findCoordinatorV5, library.findCoordinatorV4),
    produce: { key: produceV11.api.key, versions: produceRequests(library) },
    initProducerId: request(library.initProducerIdV5, library.initProducerIdV4, library.initProducerIdV3),
    // Version 4 is for brokers among themselves: it wants the right CLUSTER_ACTION.
    addPartitionsToTxn: request(library.addPartitionsToTxnV3),
    addOffsetsToTxn: request(library.addOffsetsToTxnV4, library.addOffsetsToTxnV3),
    txnOffsetCommit: request(library.txnOffsetCommitV4, library.txnOffsetCommitV3),
    endTxn: request(library.endTxnV4, library.endTxnV3),
    fetch: request(fetchV17, fetchV16, fetchV15, fetchV14, fetchV13),
    listOffsets: request(listOffsetsV9, listOffsetsV8, listOffsetsV7, listOffsetsV6, listOffsetsV5),
    joinGroup: request(joinGroupV9, joinGroupV8, joinGroupV7, joinGroupV6, joinGroupV5),
    syncGroup: request(library.syncGroupV5, library.syncGroupV4),
    heartbeat: request(library.heartbeatV4, library.heartbeatV3),
    leaveGroup: request(library.leaveGroupV5, library.leaveGroupV4),
    offsetFetch: request(library.offsetFetchV9, library.offsetFetchV8),
    offsetCommit: request(library.offsetCommitV9, library.offsetCommitV8),
    createTopics: request(library.createTopicsV7),
    deleteTopics: request(library.deleteTopicsV6),
    describeConfigs: request(library.describeConfigsV4, library.describeConfigsV3),
    listGroups: request(library.listGroupsV5, library.listGroupsV4),
    describeGroups: request(library.describeGroupsV5),
    deleteGroups: request(library.deleteGroupsV2),
  };
}

function request<Args extends unknown[], Answer>(
  newest: { readonly api: API<Args, Answer> },
  ...older: readonly { readonly api: unknown }[]
): Request<Args, Answer> {
  return { key: newest.api.key, versions: [newest.api, ...older.map(({ api }) => api as API<Args, Answer>)] };
}
