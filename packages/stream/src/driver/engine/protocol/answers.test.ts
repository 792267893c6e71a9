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
import { MalformedAnswerError } from './malformed-answer-error.ts';
import { metadata } from './metadata.ts';
import { produce } from './produce.ts';
import { Reader } from './reader.ts';
import type { Request } from './request.ts';
import { createPartitions, createTopics, deleteTopics, describeConfigs } from './topics.ts';
import { addOffsetsToTxn, addPartitionsToTxn, endTxn, txnOffsetCommit } from './transactions.ts';

type Write = (writer: theirs.Writer) => unknown;

/** An answer as a broker gives it, and what it says. */
interface Row<Answer = unknown> {
  readonly request: Request<never, Answer>;
  readonly answer: Buffer;
  readonly says: Answer;
  /** How another implementation reads it. */
  readonly parse: (id: number, key: number, version: number, reader: theirs.Reader) => unknown;
}

function row<Answer>(
  request: Request<never, Answer>,
  { parseResponse }: { readonly parseResponse: Row['parse'] },
  says: Answer,
  write: Write,
): Row {
  const writer = theirs.Writer.create();
  write(writer);
  return { request, answer: tags(writer).buffer, says, parse: parseResponse };
}

/** Those that no client knows. */
function tags(writer: theirs.Writer): theirs.Writer {
  return writer
    .appendUnsignedVarInt(2)
    .appendUnsignedVarInt(300)
    .appendUnsignedVarInt(2)
    .append(Buffer.from('ab'))
    .appendUnsignedVarInt(301)
    .appendUnsignedVarInt(0);
}

/** A list of structures, each of which ends with tagged fields. */
const list = <T>(
  writer: theirs.Writer,
  items: readonly T[],
  write: (writer: theirs.Writer, item: T) => unknown,
): theirs.Writer =>
  writer.appendArray(
    [...items],
    (inner, item) => {
      write(inner, item);
      tags(inner);
    },
    true,
    false,
  );

const numbers = (writer: theirs.Writer, items: readonly number[]): theirs.Writer =>
  writer.appendArray([...items], (inner, item) => inner.appendInt32(item), true, false);

const topicId = '01234567-89ab-cdef-0123-456789abcdef';
const bytes = Buffer.from('some');
const large = 2n ** 41n;
const wait = 250;

const committed = { topics: [{ name: 'a', partitions: [{ partitionIndex: 0, errorCode: 0 }] }] };
const writeCommitted: Write = (writer) =>
  list(writer.appendInt32(wait), ['a'], (topic, name) =>
    list(topic.appendString(name), [0], (part, index) => part.appendInt32(index).appendInt16(0)),
  );

const rows: readonly Row[] = [
  row(
    apiVersions,
    theirs.apiVersionsV3,
    { errorCode: 0, apiKeys: [{ apiKey: 1, minVersion: 4, maxVersion: 17 }] },
    (writer) =>
      list(writer.appendInt16(0), [1], (one, key) => one.appendInt16(key).appendInt16(4).appendInt16(17)).appendInt32(
        wait,
      ),
  ),
  row(
    metadata,
    theirs.metadataV12,
    {
      brokers: [
        { nodeId: 1, host: 'one', port: 9092 },
        { nodeId: 2, host: 'two', port: 9092 },
      ],
      controllerId: 2,
      topics: [
        {
          errorCode: 0,
          name: 'a',
          topicId,
          isInternal: true,
          partitions: [{ errorCode: 0, partitionIndex: 3, leaderId: 1, replicaNodes: [1, 2] }],
        },
      ],
    },
    (writer) => {
      list(writer.appendInt32(wait), ['one', 'two'], (one, host) =>
        one
          .appendInt32(host === 'one' ? 1 : 2)
          .appendString(host)
          .appendInt32(9092)
          .appendString(host === 'one' ? 'rack' : null),
      );
      list(writer.appendString('cluster').appendInt32(2), ['a'], (topic, name) => {
        topic.appendInt16(0).appendString(name).appendUUID(topicId).appendBoolean(true);
        list(topic, [3], (part, index) => {
          part.appendInt16(0).appendInt32(index).appendInt32(1).appendInt32(8);
          for (const nodes of [[1, 2], [1], [2]]) numbers(part, nodes);
        });
        topic.appendInt32(-(2 ** 31));
      });
    },
  ),
  row(
    findCoordinator,
    theirs.findCoordinatorV4,
    { coordinators: [{ key: 'g', nodeId: 1, host: 'one', port: 9092, errorCode: 0 }] },
    (writer) =>
      list(writer.appendInt32(wait), ['g'], (one, key) =>
        one.appendString(key).appendInt32(1).appendString('one').appendInt32(9092).appendInt16(0).appendString(null),
      ),
  ),
  row(initProducerId, theirs.initProducerIdV4, { errorCode: 0, producerId: large, producerEpoch: 5 }, (writer) =>
    writer.appendInt32(wait).appendInt16(0).appendInt64(large).appendInt16(5),
  ),
  ...(
    [
      [addOffsetsToTxn, theirs.addOffsetsToTxnV3],
      [endTxn, theirs.endTxnV3],
      [heartbeat, theirs.heartbeatV4],
    ] as const
  ).map(([request, api]) =>
    row<{ readonly errorCode: number }>(request, api, { errorCode: 0 }, (writer) =>
      writer.appendInt32(wait).appendInt16(0),
    ),
  ),
  row(txnOffsetCommit, theirs.txnOffsetCommitV3, committed, writeCommitted),
  row(offsetCommit, theirs.offsetCommitV8, committed, writeCommitted),
  row(
    listOffsets,
    theirs.listOffsetsV7,
    { topics: [{ name: 'a', partitions: [{ partitionIndex: 1, errorCode: 0, timestamp: -1n, offset: large }] }] },
    (writer) =>
      list(writer.appendInt32(wait), ['a'], (topic, name) =>
        list(topic.appendString(name), [1], (part, index) =>
          part.appendInt32(index).appendInt16(0).appendInt64(-1n).appendInt64(large).appendInt32(2),
        ),
      ),
  ),
  row(
    joinGroup,
    theirs.joinGroupV7,
    {
      errorCode: 0,
      generationId: 3,
      protocolName: 'range',
      leader: 'm1',
      memberId: 'm1',
      members: [
        { memberId: 'm1', metadata: bytes },
        { memberId: 'm2', metadata: bytes },
      ],
    },
    (writer) => {
      writer.appendInt32(wait).appendInt16(0).appendInt32(3).appendString('consumer').appendString('range');
      list(writer.appendString('m1').appendString('m1'), ['m1', 'm2'], (one, id) =>
        one.appendString(id).appendString(null).appendBytes(bytes),
      );
    },
  ),
  row(syncGroup, theirs.syncGroupV5, { errorCode: 0, assignment: bytes }, (writer) =>
    writer.appendInt32(wait).appendInt16(0).appendString('consumer').appendString(null).appendBytes(bytes),
  ),
  row(leaveGroup, theirs.leaveGroupV4, { errorCode: 0, members: [{ memberId: 'm', errorCode: 0 }] }, (writer) =>
    list(writer.appendInt32(wait).appendInt16(0), ['m'], (one, id) =>
      one.appendString(id).appendString(null).appendInt16(0),
    ),
  ),
  row(
    offsetFetch,
    theirs.offsetFetchV8,
    {
      groups: [
        {
          groupId: 'g',
          topics: [{ name: 'a', partitions: [{ partitionIndex: 1, committedOffset: large, errorCode: 0 }] }],
          errorCode: 0,
        },
      ],
    },
    (writer) =>
      list(writer.appendInt32(wait), ['g'], (group, id) =>
        list(group.appendString(id), ['a'], (topic, name) =>
          list(topic.appendString(name), [1], (part, index) =>
            part.appendInt32(index).appendInt64(large).appendInt32(2).appendString('note').appendInt16(0),
          ),
        ).appendInt16(0),
      ),
  ),
  row(createTopics, theirs.createTopicsV7, { topics: [{ name: 'a', errorCode: 0 }] }, (writer) =>
    list(writer.appendInt32(wait), ['a'], (topic, name) => {
      topic.appendString(name).appendUUID(topicId).appendInt16(0).appendString(null).appendInt32(3).appendInt16(2);
      list(topic, ['c'], (one, config) =>
        one.appendString(config).appendString('v').appendBoolean(false).appendInt8(5).appendBoolean(false),
      );
    }),
  ),
  row(createPartitions, theirs.createPartitionsV3, { results: [{ name: 'a', errorCode: 0 }] }, (writer) =>
    list(writer.appendInt32(wait), ['a'], (topic, name) => topic.appendString(name).appendInt16(0).appendString(null)),
  ),
  row(deleteTopics, theirs.deleteTopicsV6, { responses: [{ name: 'a', errorCode: 0 }] }, (writer) =>
    list(writer.appendInt32(wait), ['a'], (topic, name) =>
      topic.appendString(name).appendUUID(topicId).appendInt16(0).appendString(null),
    ),
  ),
  row(
    describeConfigs,
    theirs.describeConfigsV4,
    {
      results: [
        {
          errorCode: 0,
          resourceType: 2,
          resourceName: 'a',
          configs: [
            { name: 'c', value: 'v' },
            { name: 'd', value: null },
          ],
        },
      ],
    },
    (writer) =>
      list(writer.appendInt32(wait), ['a'], (result, name) => {
        result.appendInt16(0).appendString(null).appendInt8(2).appendString(name);
        list(result, ['c', 'd'], (config, key) => {
          config.appendString(key).appendString(key === 'c' ? 'v' : null);
          config.appendBoolean(false).appendInt8(5).appendBoolean(true);
          list(config, ['s'], (synonym, of) => synonym.appendString(of).appendString(null).appendInt8(4));
          config.appendInt8(2).appendString(null);
        });
      }),
  ),
  row(
    listGroups,
    theirs.listGroupsV4,
    { errorCode: 0, groups: [{ groupId: 'g', protocolType: 'consumer' }] },
    (writer) =>
      list(writer.appendInt32(wait).appendInt16(0), ['g'], (group, id) =>
        group.appendString(id).appendString('consumer').appendString('Stable'),
      ),
  ),
  row(
    describeGroups,
    theirs.describeGroupsV5,
    {
      groups: [
        {
          errorCode: 0,
          groupId: 'g',
          groupState: 'Stable',
          protocolType: 'consumer',
          members: [{ memberId: 'm', clientId: 'c', clientHost: '/h', memberAssignment: bytes }],
        },
      ],
    },
    (writer) =>
      list(writer.appendInt32(wait), ['g'], (group, id) => {
        group.appendInt16(0).appendString(id).appendString('Stable').appendString('consumer').appendString('range');
        list(group, ['m'], (member, name) =>
          member
            .appendString(name)
            .appendString(null)
            .appendString('c')
            .appendString('/h')
            .appendBytes(Buffer.from('said'))
            .appendBytes(bytes),
        ).appendInt32(-(2 ** 31));
      }),
  ),
  row(
    consumerGroupDescribe,
    theirs.consumerGroupDescribeV0,
    {
      groups: [
        {
          errorCode: 0,
          groupId: 'g',
          groupState: 'Stable',
          members: [
            {
              memberId: 'm',
              clientId: 'c',
              clientHost: '/h',
              assignment: { topicPartitions: [{ topicName: 'a', partitions: [0, 2] }] },
            },
          ],
        },
      ],
    },
    (writer) =>
      list(writer.appendInt32(wait), ['g'], (group, id) => {
        group.appendInt16(0).appendString(null).appendString(id).appendString('Stable');
        group.appendInt32(7).appendInt32(6).appendString('uniform');
        list(group, ['m'], (member, name) => {
          member.appendString(name).appendString(null).appendString('rack').appendInt32(6);
          member.appendString('c').appendString('/h');
          member.appendArray(['a'], (inner, topic) => inner.appendString(topic), true, false).appendString(null);
          for (const partitions of [
            [0, 2],
            [0, 1, 2],
          ])
            tags(list(member, ['a'], (topic, of) => numbers(topic.appendUUID(topicId).appendString(of), partitions)));
        }).appendInt32(-(2 ** 31));
      }),
  ),
  row(deleteGroups, theirs.deleteGroupsV2, { results: [{ groupId: 'g', errorCode: 0 }] }, (writer) =>
    list(writer.appendInt32(wait), ['g'], (group, id) => group.appendString(id).appendInt16(0)),
  ),
];

// Another implementation names some of what is in these in another way.
const produced = row(
  produce,
  theirs.produceV9,
  { responses: [{ name: 'a', partitions: [{ index: 4, errorCode: 0, baseOffset: large }] }] },
  (writer) =>
    list(writer, ['a'], (topic, name) =>
      list(topic.appendString(name), [4], (part, index) => {
        part.appendInt32(index).appendInt16(0).appendInt64(large).appendInt64(-1n).appendInt64(0n);
        list(part, [5], (record, at) => record.appendInt32(at).appendString('why')).appendString(null);
      }),
    ).appendInt32(wait),
);
const added = row(
  addPartitionsToTxn,
  theirs.addPartitionsToTxnV3,
  { resultsByTopic: [{ name: 'a', resultsByPartition: [{ partitionIndex: 1, partitionErrorCode: 0 }] }] },
  (writer) =>
    list(writer.appendInt32(wait), ['a'], (topic, name) =>
      list(topic.appendString(name), [1], (part, index) => part.appendInt32(index).appendInt16(0)),
    ),
);
const partition = { partitionIndex: 2, errorCode: 0, highWatermark: large + 2n, lastStableOffset: large };
const aborted = { producerId: 7n, firstOffset: large };
const fetched = row(
  fetch,
  theirs.fetchV13,
  {
    errorCode: 0,
    responses: [
      {
        topicId,
        partitions: [
          { ...partition, abortedTransactions: [aborted], records: Buffer.alloc(0) },
          { ...partition, abortedTransactions: [], records: null },
        ],
      },
    ],
  },
  (writer) =>
    list(writer.appendInt32(wait).appendInt16(0).appendInt32(0), [topicId], (topic, id) =>
      list(topic.appendUUID(id), [true, false], (part, some) => {
        part
          .appendInt32(2)
          .appendInt16(0)
          .appendInt64(large + 2n)
          .appendInt64(large)
          .appendInt64(0n);
        if (some) list(part, [aborted], (one, of) => one.appendInt64(of.producerId).appendInt64(of.firstOffset));
        else part.appendUnsignedVarInt(0);
        part.appendInt32(-1).appendUnsignedVarInt(some ? 1 : 0);
      }),
    ),
);

const all = [...rows, produced, added, fetched];
const named = (some: readonly Row[]): readonly (readonly [string, Row])[] => some.map((one) => [one.request.name, one]);

test.for(named(all))('what answers %s is read as it was said', ([, { request, answer, says }]) => {
  expect(request.read(new Reader(answer))).toEqual(says);
});

test.for(named(rows))('what answers %s says the same to others', ([, { request, answer, says, parse }]) => {
  expect(parse(1, request.key, request.version, theirs.Reader.from(answer))).toMatchObject(says as object);
});

test.for(named([added, fetched]))('what answers %s can be read by others', ([, { request, answer, parse }]) => {
  expect(() => parse(1, request.key, request.version, theirs.Reader.from(answer))).not.toThrow();
});

test('what answers Produce with records that were refused, which others take for an error, says the same to them', () => {
  const { answer, parse } = produced;
  try {
    parse(1, 0, 9, theirs.Reader.from(answer));
    expect.unreachable();
  } catch (error) {
    const partitionResponses = [{ index: 4, errorCode: 0, baseOffset: large }];
    expect(error).toMatchObject({ response: { responses: [{ name: 'a', partitionResponses }] } });
  }
});

test.for(named(all))('what answers %s, and is cut short, is refused', ([, { request, answer }]) => {
  // What comes after the last field that is of use is not read: how long the client is to wait, perhaps, and tagged fields.
  for (let length = 0; length < answer.length - 13; length += 1) {
    expect(() => request.read(new Reader(answer.subarray(0, length)))).toThrow(MalformedAnswerError);
  }
});

test('a broker that is too old for the question about versions says so in a form of its own', () => {
  const answer = Buffer.from('002300000001001200000003', 'hex');
  expect(apiVersions.read(new Reader(answer))).toEqual({ errorCode: 35, apiKeys: [] });
});
