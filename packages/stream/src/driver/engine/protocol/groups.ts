import type { Reader } from './reader.ts';
import type { Request } from './request.ts';

export interface ListGroupsAsk {
  /** Empty: in any state. */
  readonly statesFilter: readonly string[];
}

export interface ListGroupsAnswer {
  readonly errorCode: number;
  readonly groups: readonly { readonly groupId: string; readonly protocolType: string }[];
}

export interface DescribeGroupsAsk {
  readonly groups: readonly string[];
}

export interface DescribeGroupsAnswer {
  readonly groups: readonly DescribedGroup[];
}

interface DescribedGroup {
  readonly errorCode: number;
  readonly groupId: string;
  readonly groupState: string;
  readonly protocolType: string;
  readonly members: readonly GroupMember[];
}

interface GroupMember {
  readonly memberId: string;
  readonly clientId: string;
  readonly clientHost: string;
  readonly memberAssignment: Buffer;
}

export interface ConsumerGroupDescribeAsk {
  readonly groupIds: readonly string[];
}

export interface ConsumerGroupDescribeAnswer {
  readonly groups: readonly DescribedConsumerGroup[];
}

interface DescribedConsumerGroup {
  readonly errorCode: number;
  readonly groupId: string;
  readonly groupState: string;
  readonly members: readonly ConsumerGroupMember[];
}

interface ConsumerGroupMember {
  readonly memberId: string;
  readonly clientId: string;
  readonly clientHost: string;
  readonly assignment: {
    readonly topicPartitions: readonly { readonly topicName: string; readonly partitions: readonly number[] }[];
  };
}

export interface DeleteGroupsAsk {
  readonly groupsNames: readonly string[];
}

export interface DeleteGroupsAnswer {
  readonly results: readonly { readonly groupId: string; readonly errorCode: number }[];
}

const tagged = { request: true, answer: true } as const;

export const listGroups: Request<ListGroupsAsk, ListGroupsAnswer> = {
  name: 'ListGroups',
  key: 16,
  version: 4,
  tagged,
  write(writer, { statesFilter }) {
    writer.compactArray(statesFilter, (_, state) => writer.compactString(state)).noTags();
  },
  read(reader) {
    reader.skip(4 /* how long the client is to wait */);
    const errorCode = reader.int16();
    const groups = reader.compactArray(() => {
      const groupId = reader.compactString();
      const protocolType = reader.compactString();
      reader.compactString(); // its state
      reader.skipTags();
      return { groupId, protocolType };
    });
    return { errorCode, groups };
  },
};

export const describeGroups: Request<DescribeGroupsAsk, DescribeGroupsAnswer> = {
  name: 'DescribeGroups',
  key: 15,
  version: 5,
  tagged,
  write(writer, { groups }) {
    writer
      .compactArray(groups, (_, group) => writer.compactString(group))
      .boolean(false) // what we may do is not asked
      .noTags();
  },
  read(reader) {
    reader.skip(4 /* how long the client is to wait */);
    return { groups: reader.compactArray(groupOf) };
  },
};

/** Of groups by the protocol of Kafka 4: the classic request takes these for dead. */
export const consumerGroupDescribe: Request<ConsumerGroupDescribeAsk, ConsumerGroupDescribeAnswer> = {
  name: 'ConsumerGroupDescribe',
  key: 69,
  version: 0,
  tagged,
  write(writer, { groupIds }) {
    writer
      .compactArray(groupIds, (_, group) => writer.compactString(group))
      .boolean(false) // what we may do is not asked
      .noTags();
  },
  read(reader) {
    reader.skip(4 /* how long the client is to wait */);
    return { groups: reader.compactArray(consumerGroupOf) };
  },
};

export const deleteGroups: Request<DeleteGroupsAsk, DeleteGroupsAnswer> = {
  name: 'DeleteGroups',
  key: 42,
  version: 2,
  tagged,
  write(writer, { groupsNames }) {
    writer.compactArray(groupsNames, (_, name) => writer.compactString(name)).noTags();
  },
  read(reader) {
    reader.skip(4 /* how long the client is to wait */);
    const results = reader.compactArray(() => {
      const groupId = reader.compactString();
      const errorCode = reader.int16();
      reader.skipTags();
      return { groupId, errorCode };
    });
    return { results };
  },
};

function groupOf(reader: Reader): DescribedGroup {
  const errorCode = reader.int16();
  const groupId = reader.compactString();
  const groupState = reader.compactString();
  const protocolType = reader.compactString();
  reader.compactString(); // its protocol
  const members = reader.compactArray(memberOf);
  reader.skip(4 /* what we may do */);
  reader.skipTags();
  return { errorCode, groupId, groupState, protocolType, members };
}

function memberOf(reader: Reader): GroupMember {
  const memberId = reader.compactString();
  reader.compactNullableString(); // the name of an instance
  const clientId = reader.compactString();
  const clientHost = reader.compactString();
  reader.compactBytes(); // what it said when it joined
  const memberAssignment = reader.compactBytes();
  reader.skipTags();
  return { memberId, clientId, clientHost, memberAssignment };
}

function consumerGroupOf(reader: Reader): DescribedConsumerGroup {
  const errorCode = reader.int16();
  reader.compactNullableString(); // the error in words
  const groupId = reader.compactString();
  const groupState = reader.compactString();
  reader.skip(8 /* epochs of the group and of the assignment */);
  reader.compactString(); // its assignor
  const members = reader.compactArray(consumerGroupMemberOf);
  reader.skip(4 /* what we may do */);
  reader.skipTags();
  return { errorCode, groupId, groupState, members };
}

function consumerGroupMemberOf(reader: Reader): ConsumerGroupMember {
  const memberId = reader.compactString();
  reader.compactNullableString(); // the name of an instance
  reader.compactNullableString(); // its rack
  reader.skip(4 /* its epoch */);
  const clientId = reader.compactString();
  const clientHost = reader.compactString();
  reader.compactArray((topic) => topic.compactString()); // what it asked for
  reader.compactNullableString(); // the same as a pattern
  const assignment = assignmentOf(reader);
  assignmentOf(reader); // what it is to have
  reader.skipTags();
  return { memberId, clientId, clientHost, assignment };
}

function assignmentOf(reader: Reader): ConsumerGroupMember['assignment'] {
  const topicPartitions = reader.compactArray(() => {
    reader.uuid();
    const topicName = reader.compactString();
    const partitions = reader.compactArray((partition) => partition.int32());
    reader.skipTags();
    return { topicName, partitions };
  });
  reader.skipTags();
  return { topicPartitions };
}
