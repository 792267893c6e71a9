import type { Request } from './request.ts';

export interface JoinGroupAsk {
  readonly groupId: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** Empty the first time. */
  readonly memberId: string;
  /** The first one that all members have is taken. */
  readonly protocols: readonly { readonly name: string; readonly metadata: Buffer }[];
}

export interface JoinGroupAnswer {
  readonly errorCode: number;
  readonly generationId: number;
  readonly protocolName: string | null;
  readonly leader: string;
  readonly memberId: string;
  /** All of them for the leader, and none for the others. */
  readonly members: readonly { readonly memberId: string; readonly metadata: Buffer }[];
}

export interface SyncGroupAsk {
  readonly groupId: string;
  readonly generationId: number;
  readonly memberId: string;
  readonly protocolName: string | null;
  /** The leader's, for all members; nobody else has any. */
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[];
}

export interface SyncGroupAnswer {
  readonly errorCode: number;
  readonly assignment: Buffer;
}

export interface HeartbeatAsk {
  readonly groupId: string;
  readonly generationId: number;
  readonly memberId: string;
}

export interface HeartbeatAnswer {
  readonly errorCode: number;
}

export interface LeaveGroupAsk {
  readonly groupId: string;
  readonly members: readonly { readonly memberId: string }[];
}

export interface LeaveGroupAnswer {
  readonly errorCode: number;
  readonly members: readonly { readonly memberId: string; readonly errorCode: number }[];
}

const protocolType = 'consumer';
/** Members are none of those that keep their name and their place from one start to the next. */
const noInstance = null;
const tagged = { request: true, answer: true } as const;

export const joinGroup: Request<JoinGroupAsk, JoinGroupAnswer> = {
  name: 'JoinGroup',
  key: 11,
  version: 7,
  tagged,
  write(writer, { groupId, sessionTimeoutMs, rebalanceTimeoutMs, memberId, protocols }) {
    writer
      .compactString(groupId)
      .int32(sessionTimeoutMs)
      .int32(rebalanceTimeoutMs)
      .compactString(memberId)
      .compactString(noInstance)
      .compactString(protocolType)
      .compactArray(protocols, (_, { name, metadata }) => writer.compactString(name).compactBytes(metadata).noTags())
      .noTags();
  },
  read(reader) {
    reader.skip(4 /* how long the client is to wait */);
    const errorCode = reader.int16();
    const generationId = reader.int32();
    reader.compactNullableString(); // the type of the group
    const protocolName = reader.compactNullableString();
    const leader = reader.compactString();
    const memberId = reader.compactString();
    const members = reader.compactArray(() => {
      const memberId = reader.compactString();
      reader.compactNullableString(); // the name of an instance
      const metadata = reader.compactBytes();
      reader.skipTags();
      return { memberId, metadata };
    });
    return { errorCode, generationId, protocolName, leader, memberId, members };
  },
};

export const syncGroup: Request<SyncGroupAsk, SyncGroupAnswer> = {
  name: 'SyncGroup',
  key: 14,
  version: 5,
  tagged,
  write(writer, { groupId, generationId, memberId, protocolName, assignments }) {
    writer
      .compactString(groupId)
      .int32(generationId)
      .compactString(memberId)
      .compactString(noInstance)
      .compactString(protocolType)
      .compactString(protocolName)
      .compactArray(assignments, (_, { memberId, assignment }) =>
        writer.compactString(memberId).compactBytes(assignment).noTags(),
      )
      .noTags();
  },
  read(reader) {
    reader.skip(4 /* how long the client is to wait */);
    const errorCode = reader.int16();
    reader.compactNullableString(); // the type of the group
    reader.compactNullableString(); // its protocol
    return { errorCode, assignment: reader.compactBytes() };
  },
};

export const heartbeat: Request<HeartbeatAsk, HeartbeatAnswer> = {
  name: 'Heartbeat',
  key: 12,
  version: 4,
  tagged,
  write(writer, { groupId, generationId, memberId }) {
    writer.compactString(groupId).int32(generationId).compactString(memberId).compactString(noInstance).noTags();
  },
  read(reader) {
    reader.skip(4 /* how long the client is to wait */);
    return { errorCode: reader.int16() };
  },
};

export const leaveGroup: Request<LeaveGroupAsk, LeaveGroupAnswer> = {
  name: 'LeaveGroup',
  key: 13,
  version: 4,
  tagged,
  write(writer, { groupId, members }) {
    writer
      .compactString(groupId)
      .compactArray(members, (_, { memberId }) => writer.compactString(memberId).compactString(noInstance).noTags())
      .noTags();
  },
  read(reader) {
    reader.skip(4 /* how long the client is to wait */);
    const errorCode = reader.int16();
    const members = reader.compactArray(() => {
      const memberId = reader.compactString();
      reader.compactNullableString(); // the name of an instance
      const errorCode = reader.int16();
      reader.skipTags();
      return { memberId, errorCode };
    });
    return { errorCode, members };
  },
};
