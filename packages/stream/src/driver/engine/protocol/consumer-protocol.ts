import { MalformedAnswerError } from './malformed-answer-error.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

/**
 * What consumers of a group tell each other, through a coordinator that does not look at it. Written in the first version; of a
 * later one the beginning is the same, and the rest is not needed.
 */
const version = 0;

/** What a member wants to read. */
export interface Subscription {
  readonly topics: readonly string[];
}

/** What a member is to read. */
export interface Assignment {
  readonly assignedPartitions: readonly { readonly topic: string; readonly partitions: readonly number[] }[];
}

export function encodeSubscription({ topics }: Subscription): Buffer {
  return new Writer()
    .int16(version)
    .array(topics, (writer, topic) => writer.string(topic))
    .bytes(null) // nothing said besides
    .finish();
}

export function decodeSubscription(bytes: Buffer): Subscription {
  const reader = begin(bytes);
  return { topics: reader?.array(() => reader.string()) ?? [] };
}

export function encodeAssignment({ assignedPartitions }: Assignment): Buffer {
  return new Writer()
    .int16(version)
    .array(assignedPartitions, (writer, { topic, partitions }) =>
      writer.string(topic).array(partitions, (_, partition) => writer.int32(partition)),
    )
    .bytes(null) // nothing said besides
    .finish();
}

export function decodeAssignment(bytes: Buffer): Assignment {
  const reader = begin(bytes);
  const assignedPartitions = reader?.array(() => {
    const topic = reader.string();
    return { topic, partitions: reader.array(() => reader.int32()) };
  });
  return { assignedPartitions: assignedPartitions ?? [] };
}

/** Nothing at all is what a member has before it was given something; some clients write the version alone. */
function begin(bytes: Buffer): Reader | undefined {
  if (bytes.length === 0) return undefined;
  const reader = new Reader(bytes);
  const written = reader.int16();
  if (written < version) throw new MalformedAnswerError(`version ${written} of what consumers tell each other`);
  return reader.left === 0 ? undefined : reader;
}
