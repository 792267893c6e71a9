import * as platformatic from '@platformatic/kafka';
import kafkajs from 'kafkajs';
import { expect, test } from 'vitest';
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './consumer-protocol.ts';
import { MalformedAnswerError } from './malformed-answer-error.ts';

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol;
const assignedPartitions = [
  { topic: 'a', partitions: [0, 3] },
  { topic: 'ü', partitions: [1] },
];

test('what members want to read is understood by others, and from others', () => {
  const topics = ['a', 'b', 'ü'];
  const ours = encodeSubscription({ topics });
  expect(decodeSubscription(ours)).toEqual({ topics });
  expect(platformatic.decodeConsumerProtocolSubscription(ours)).toMatchObject({ version: 0, topics });
  expect(MemberMetadata.decode(ours)).toMatchObject({ version: 0, topics });
  for (const version of [0, 1, 2, 3]) {
    const ownedPartitions = assignedPartitions;
    const theirs = platformatic.encodeConsumerProtocolSubscription({ version, topics, ownedPartitions, userData: 'x' });
    expect(decodeSubscription(theirs)).toEqual({ topics });
  }
  const theirs = MemberMetadata.encode({ version: 1, topics, userData: Buffer.from('x') });
  expect(decodeSubscription(theirs)).toEqual({ topics });
});

test('what members are to read is understood by others, and from others', () => {
  const ours = encodeAssignment({ assignedPartitions });
  expect(decodeAssignment(ours)).toEqual({ assignedPartitions });
  expect(platformatic.decodeConsumerProtocolAssignment(ours)).toMatchObject({ version: 0, assignedPartitions });
  expect(MemberAssignment.decode(ours)).toMatchObject({ version: 0, assignment: { a: [0, 3], ü: [1] } });
  for (const version of [0, 1, 2, 3]) {
    const theirs = platformatic.encodeConsumerProtocolAssignment({ version, assignedPartitions });
    expect(decodeAssignment(theirs)).toEqual({ assignedPartitions });
  }
  const assignment = { a: [0, 3], ü: [1] };
  const theirs = MemberAssignment.encode({ version: 0, assignment, userData: Buffer.alloc(0) });
  expect(decodeAssignment(theirs)).toEqual({ assignedPartitions });
});

test('nothing is nothing to read', () => {
  for (const hex of ['', '0000', '0001']) {
    expect(decodeAssignment(Buffer.from(hex, 'hex'))).toEqual({ assignedPartitions: [] });
    expect(decodeSubscription(Buffer.from(hex, 'hex'))).toEqual({ topics: [] });
  }
});

test('what is cut short, or cannot be, is refused', () => {
  const whole = encodeAssignment({ assignedPartitions });
  for (let length = 3; length < whole.length - 4; length += 1) {
    expect(() => decodeAssignment(whole.subarray(0, length))).toThrow(MalformedAnswerError);
  }
  expect(() => decodeSubscription(Buffer.from('00007fffffff0000', 'hex'))).toThrow(MalformedAnswerError);
  expect(() => decodeSubscription(Buffer.from('ffff00000000', 'hex'))).toThrow(MalformedAnswerError);
});
