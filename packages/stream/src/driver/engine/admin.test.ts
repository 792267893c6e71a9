import { expect, test } from 'vitest';
import type { Address } from '../wire.ts';
import { KafkaAdmin } from './admin.ts';
import { Cluster } from './cluster.ts';
import type { Connections } from './connections.ts';

const settings = {
  brokers: ['one:1'],
  clientId: 'c',
  tls: undefined,
  sasl: undefined,
  connectTimeout: 100,
  requestTimeout: 100,
  deliveryTimeout: 100,
};

const leaderNotAvailable = 5;
const notLeader = 6;

/** Of four partitions, two have a leader; one of these has another one by now. */
const answers: Readonly<Record<string, unknown>> = {
  Metadata: {
    brokers: [{ nodeId: 1, host: 'one', port: 1 }],
    controllerId: 1,
    topics: [
      {
        errorCode: 0,
        name: 't',
        topicId: 'id',
        isInternal: false,
        partitions: [1, 1, -1, 1].map((leaderId, partitionIndex) => ({
          errorCode: leaderId < 0 ? leaderNotAvailable : 0,
          partitionIndex,
          leaderId,
          replicaNodes: [1],
        })),
      },
    ],
  },
  ListOffsets: {
    topics: [
      {
        name: 't',
        partitions: [
          { partitionIndex: 0, errorCode: 0, timestamp: -1n, offset: 4n },
          { partitionIndex: 1, errorCode: notLeader, timestamp: -1n, offset: -1n },
          { partitionIndex: 3, errorCode: 0, timestamp: -1n, offset: 7n },
        ],
      },
    ],
  },
};

test('of partitions without a leader, offsets are left out where that is wanted, and an error where it is not', async () => {
  const ask = async (_: Address, { name }: { readonly name: string }): Promise<unknown> => answers[name];
  const admin = new KafkaAdmin(new Cluster({ ask } as unknown as Connections, settings));
  const { signal } = new AbortController();
  const known = await admin.offsets('t', 'latest', signal, { lenient: true });
  expect([...known]).toEqual([
    [0, 4n],
    [3, 7n],
  ]);
  await expect(admin.offsets('t', 'latest', signal)).rejects.toMatchObject({ code: 'kafka-unreachable' });
});
