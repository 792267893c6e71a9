import { Testbed } from '@quorate/testbed';
import { connect, type ZooKeeper } from '@quorate/zookeeper';
import { afterAll, beforeAll, describe } from 'vitest';
import { barrierConformance } from './conformance/barrier.ts';
import { doubleBarrierConformance } from './conformance/double-barrier.ts';
import { queueConformance } from './conformance/queue.ts';

describe.each([1, 3] as const)('on %i members', (members) => {
  let bed: Testbed & { zookeeper: { url: string } };

  beforeAll(async () => {
    bed = await Testbed.start({ zookeeper: members });
  });
  afterAll(() => bed?.[Symbol.asyncDispose]());

  const open = (): Promise<ZooKeeper> => connect(bed.zookeeper.url);

  describe('a barrier', () => barrierConformance(open));
  describe('a double barrier', () => doubleBarrierConformance(open));
  describe('a queue', () => queueConformance(open));
});
