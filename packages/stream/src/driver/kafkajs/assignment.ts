import type { TopicPartition } from '../record.ts';
import type { JoinedGroup } from './kafkajs-package.ts';
import type { KafkajsModule, Link } from './link.ts';

type Protocol = KafkajsModule['AssignerProtocol'];
type Members = JoinedGroup['members'];

/** What other clients call the same: members of one group have to have one in common. */
export const protocolNames: readonly string[] = ['roundrobin', 'RoundRobinAssigner'];

/** The topics that any member wants to read. */
export function topicsOf(protocol: Protocol, members: Members): readonly string[] {
  return [...new Set(members.flatMap((member) => wantedBy(protocol, member)))].sort();
}

/** Deals the partitions out in turn, each to somebody who wants its topic. */
export function share(
  link: Link,
  members: Members,
): { readonly memberId: string; readonly memberAssignment: Buffer }[] {
  const { protocol } = link;
  const sorted = members.toSorted((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const hands = sorted.map((member) => ({
    memberId: member.memberId,
    wants: new Set(wantedBy(protocol, member)),
    assignment: {} as Record<string, number[]>,
  }));
  let turn = 0;
  for (const topic of topicsOf(protocol, members)) {
    const takers = hands.filter(({ wants }) => wants.has(topic));
    for (const partition of [...link.topic(topic).partitions.keys()].sort((a, b) => a - b)) {
      const taker = takers[turn % takers.length];
      turn += 1;
      if (!taker) continue;
      taker.assignment[topic] ??= [];
      taker.assignment[topic].push(partition);
    }
  }
  return hands.map(({ memberId, assignment }) => ({
    memberId,
    memberAssignment: protocol.MemberAssignment.encode({ version: 0, assignment, userData: Buffer.alloc(0) }),
  }));
}

export function partitionsIn(protocol: Protocol, memberAssignment: Buffer): readonly TopicPartition[] {
  const { assignment = {} } = protocol.MemberAssignment.decode(memberAssignment) ?? {};
  return Object.entries(assignment).flatMap(([topic, partitions]) =>
    partitions.map((partition) => ({ topic, partition })),
  );
}

function wantedBy(protocol: Protocol, { memberMetadata }: Members[number]): readonly string[] {
  return protocol.MemberMetadata.decode(memberMetadata)?.topics ?? [];
}
