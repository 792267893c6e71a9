import * as theirs from '@platformatic/kafka';
import { expect, test } from 'vitest';
import { apiVersions } from './api-versions.ts';
import { offsetCommit, offsetFetch } from './committed-offsets.ts';
import { fetch } from './fetch.ts';
import { findCoordinator } from './find-coordinator.ts';
import { heartbeat, joinGroup, leaveGroup, syncGroup } from './group-membership.ts';
import { consumerGroupDescribe, deleteGroups, describeGroups, listGroups } from './groups.ts';
import { initProducerId } from './init-producer-id.ts';
import { listOffsets } from './list-offsets.ts';
import { metadata } from './metadata.ts';
import { produce } from './produce.ts';
import type { Request } from './request.ts';
import { createPartitions, createTopics, deleteTopics, describeConfigs } from './topics.ts';
import { addOffsetsToTxn, addPartitionsToTxn, endTxn, txnOffsetCommit } from './transactions.ts';
import { Writer } from './writer.ts';

/** A request as we write it, and as another implementation does. */
interface Pair {
  readonly request: Request<never, unknown>;
  readonly api: { readonly key: number; readonly version: number };
  readonly ours: Buffer;
  readonly theirs: Buffer;
}

function pair<Ask>(
  request: Request<Ask, unknown>,
  ask: Ask,
  api: { readonly key: number; readonly version: number },
  written: theirs.Writer,
): Pair {
  const writer = new Writer();
  request.write(writer, ask);
  return { request, api, ours: writer.finish(), theirs: written.buffer };
}

const topicId = '01234567-89ab-cdef-0123-456789abcdef';
const bytes = Buffer.from('some');
const batch = Buffer.alloc(70_000, 3);
const owner = { transactionalId: 'owner', producerId: 2n ** 40n, producerEpoch: 3 };
const { transactionalId, producerId, producerEpoch } = owner;
const member = { groupId: 'group', generationId: 4, memberId: 'member' };
const { groupId, generationId, memberId } = member;
const committed = [
  { name: 'a', partitions: [{ partitionIndex: 0, committedOffset: 2n ** 41n }] },
  { name: 'ü', partitions: [] },
];
const theirCommitted = committed.map(({ name, partitions }) => ({
  name,
  partitions: partitions.map((one) => ({ ...one, committedLeaderEpoch: -1, committedMetadata: '' })),
}));
const configs = [
  { name: 'cleanup.policy', value: 'compact' },
  { name: 'other', value: null },
];
const resource = { resourceType: theirs.ConfigResourceTypes.TOPIC, resourceName: 'a' };

/** By their own account of it, the batch is theirs to encode: the same in their words. */
function theirProduce(name: string | null): theirs.Writer {
  return theirs.Writer.create()
    .appendString(name)
    .appendInt16(-1)
    .appendInt32(900)
    .appendArray([1, 2], (writer, index) => {
      writer.appendString(`t${index}`).appendArray([batch, bytes], (inner, records) => {
        inner.appendInt32(index).appendBytes(records);
      });
    })
    .appendTaggedFields();
}

const pairs: readonly Pair[] = [
  pair(
    apiVersions,
    { clientSoftwareName: 'quorate', clientSoftwareVersion: '1.2' },
    theirs.apiVersionsV3.api,
    theirs.apiVersionsV3.createRequest('quorate', '1.2'),
  ),
  pair(
    metadata,
    { topics: ['a', 'ü'] },
    theirs.metadataV12.api,
    theirs.metadataV12.createRequest(['a', 'ü'], false, false),
  ),
  pair(metadata, { topics: [] }, theirs.metadataV12.api, theirs.metadataV12.createRequest([], false, false)),
  pair(metadata, { topics: null }, theirs.metadataV12.api, theirs.metadataV12.createRequest(null, false, false)),
  pair(
    findCoordinator,
    { keyType: 1, coordinatorKeys: ['a', 'b'] },
    theirs.findCoordinatorV4.api,
    theirs.findCoordinatorV4.createRequest(1, ['a', 'b']),
  ),
  ...[null, 'owner'].map((name) =>
    pair(
      produce,
      {
        transactionalId: name,
        timeoutMs: 900,
        topics: [1, 2].map((index) => ({
          name: `t${index}`,
          partitions: [batch, bytes].map((one) => ({ index, batch: one })),
        })),
      },
      theirs.produceV9.api,
      theirProduce(name),
    ),
  ),
  pair(
    initProducerId,
    { transactionTimeoutMs: 70, ...owner },
    theirs.initProducerIdV4.api,
    theirs.initProducerIdV4.createRequest(transactionalId, 70, producerId, producerEpoch),
  ),
  pair(
    initProducerId,
    { transactionalId: null, transactionTimeoutMs: 70, producerId: -1n, producerEpoch: -1 },
    theirs.initProducerIdV4.api,
    theirs.initProducerIdV4.createRequest(null, 70, -1n, -1),
  ),
  pair(
    addPartitionsToTxn,
    { ...owner, topics: [{ name: 'a', partitions: [0, 7] }] },
    theirs.addPartitionsToTxnV3.api,
    theirs.addPartitionsToTxnV3.createRequest([
      { ...owner, verifyOnly: false, topics: [{ name: 'a', partitions: [0, 7] }] },
    ]),
  ),
  pair(
    addOffsetsToTxn,
    { ...owner, groupId },
    theirs.addOffsetsToTxnV3.api,
    theirs.addOffsetsToTxnV3.createRequest(transactionalId, producerId, producerEpoch, groupId),
  ),
  pair(
    txnOffsetCommit,
    { ...owner, ...member, topics: committed },
    theirs.txnOffsetCommitV3.api,
    theirs.txnOffsetCommitV3.createRequest(
      transactionalId,
      groupId,
      producerId,
      producerEpoch,
      generationId,
      memberId,
      null,
      theirCommitted,
    ),
  ),
  ...[true, false].map((how) =>
    pair(
      endTxn,
      { ...owner, committed: how },
      theirs.endTxnV3.api,
      theirs.endTxnV3.createRequest(transactionalId, producerId, producerEpoch, how),
    ),
  ),
  pair(
    fetch,
    {
      maxWaitMs: 500,
      minBytes: 1,
      maxBytes: 4_000_000,
      topics: [{ topicId, partitions: [{ partition: 6, fetchOffset: 2n ** 41n, partitionMaxBytes: 1_000_000 }] }],
    },
    theirs.fetchV13.api,
    theirs.fetchV13.createRequest(
      500,
      1,
      4_000_000,
      1,
      0,
      -1,
      [
        {
          topicId,
          partitions: [
            {
              partition: 6,
              currentLeaderEpoch: -1,
              fetchOffset: 2n ** 41n,
              lastFetchedEpoch: -1,
              partitionMaxBytes: 1_000_000,
            },
          ],
        },
      ],
      [],
      '',
    ),
  ),
  pair(
    listOffsets,
    { isolationLevel: 1, topics: [{ name: 'a', partitions: [{ partitionIndex: 3, timestamp: -2n }] }] },
    theirs.listOffsetsV7.api,
    theirs.listOffsetsV7.createRequest(-1, 1, [
      { name: 'a', partitions: [{ partitionIndex: 3, currentLeaderEpoch: -1, timestamp: -2n }] },
    ]),
  ),
  pair(
    joinGroup,
    {
      groupId,
      sessionTimeoutMs: 10,
      rebalanceTimeoutMs: 20,
      memberId,
      protocols: [{ name: 'range', metadata: bytes }],
    },
    theirs.joinGroupV7.api,
    theirs.joinGroupV7.createRequest(groupId, 10, 20, memberId, null, 'consumer', [{ name: 'range', metadata: bytes }]),
  ),
  ...[[], [{ memberId, assignment: bytes }]].map((assignments) =>
    pair(
      syncGroup,
      { ...member, protocolName: 'range', assignments },
      theirs.syncGroupV5.api,
      theirs.syncGroupV5.createRequest(groupId, generationId, memberId, null, 'consumer', 'range', assignments),
    ),
  ),
  pair(
    heartbeat,
    member,
    theirs.heartbeatV4.api,
    theirs.heartbeatV4.createRequest(groupId, generationId, memberId, null),
  ),
  pair(
    leaveGroup,
    { groupId, members: [{ memberId }] },
    theirs.leaveGroupV4.api,
    theirs.leaveGroupV4.createRequest(groupId, [{ memberId, groupInstanceId: null }]),
  ),
  pair(
    offsetFetch,
    { groups: [{ groupId, topics: [{ name: 'a', partitionIndexes: [0, 7] }] }], requireStable: true },
    theirs.offsetFetchV8.api,
    theirs.offsetFetchV8.createRequest(
      [{ groupId, memberId: null, memberEpoch: -1, topics: [{ name: 'a', partitionIndexes: [0, 7] }] }],
      true,
    ),
  ),
  pair(
    offsetFetch,
    { groups: [{ groupId, topics: null }], requireStable: false },
    theirs.offsetFetchV8.api,
    // Their types know of no way to ask for all.
    theirs.offsetFetchV8.createRequest(
      [{ groupId, memberId: null, memberEpoch: -1, topics: null as unknown as [] }],
      false,
    ),
  ),
  pair(
    offsetCommit,
    { ...member, topics: committed },
    theirs.offsetCommitV8.api,
    theirs.offsetCommitV8.createRequest(groupId, generationId, memberId, null, theirCommitted),
  ),
  pair(
    createTopics,
    { topics: [{ name: 'a', numPartitions: 3, replicationFactor: 2, configs }], timeoutMs: 90 },
    theirs.createTopicsV7.api,
    theirs.createTopicsV7.createRequest(
      [{ name: 'a', numPartitions: 3, replicationFactor: 2, assignments: [], configs }],
      90,
      false,
    ),
  ),
  pair(
    createPartitions,
    { topics: [{ name: 'a', count: 3 }], timeoutMs: 90 },
    theirs.createPartitionsV3.api,
    theirs.createPartitionsV3.createRequest([{ name: 'a', count: 3, assignments: null as unknown as [] }], 90, false),
  ),
  pair(
    deleteTopics,
    { topicNames: ['a', 'b'], timeoutMs: 90 },
    theirs.deleteTopicsV6.api,
    theirs.deleteTopicsV6.createRequest([{ name: 'a' }, { name: 'b' }], 90),
  ),
  ...[['cleanup.policy', 'other'], null].map((configurationKeys) =>
    pair(
      describeConfigs,
      { resources: [{ ...resource, configurationKeys }] },
      theirs.describeConfigsV4.api,
      theirs.describeConfigsV4.createRequest(
        [{ ...resource, configurationKeys: configurationKeys as string[] }],
        false,
        false,
      ),
    ),
  ),
  pair(
    listGroups,
    { statesFilter: ['Stable'] },
    theirs.listGroupsV4.api,
    theirs.listGroupsV4.createRequest(['STABLE'], []),
  ),
  pair(
    describeGroups,
    { groups: ['a', 'b'] },
    theirs.describeGroupsV5.api,
    theirs.describeGroupsV5.createRequest(['a', 'b'], false),
  ),
  pair(
    consumerGroupDescribe,
    { groupIds: ['a', 'b'] },
    theirs.consumerGroupDescribeV0.api,
    theirs.consumerGroupDescribeV0.createRequest(['a', 'b'], false),
  ),
  pair(
    deleteGroups,
    { groupsNames: ['a', 'b'] },
    theirs.deleteGroupsV2.api,
    theirs.deleteGroupsV2.createRequest(['a', 'b']),
  ),
];

test.for(pairs.map((one) => [one.request.name, one] as const))('%s is asked as others ask it', ([, one]) => {
  expect([one.request.key, one.request.version]).toEqual([one.api.key, one.api.version]);
  expect(one.ours.toString('hex')).toBe(one.theirs.toString('hex'));
});

test('headers have tagged fields in all of these versions, but for the one answer that all clients can read', () => {
  for (const { request } of pairs) {
    expect([request.name, request.tagged]).toEqual([
      request.name,
      { request: true, answer: request.name !== 'ApiVersions' },
    ]);
  }
});
