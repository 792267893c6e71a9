import { type BedOf, Testbed } from '@quorate/testbed';
import { connect } from '@quorate/zookeeper';
import { afterAll, beforeAll, describe } from 'vitest';
import { barrierConformance } from './conformance/barrier.ts';
import { doubleBarrierConformance } from './conformance/double-barrier.ts';
import { queueConformance } from './conformance/queue.ts';
import type { Connect } from './conformance/store.ts';

// Each session is on a member of its own choice, and a member may lag behind the one that another session is on.
describe.concurrent('on three members', () => {
  let bed: BedOf<{ zookeeper: 3 }>;

  beforeAll(async () => {
    bed = await Testbed.start({ zookeeper: 3 });
  });
  afterAll(() => bed?.stop());

  const open: Connect = () => connect(bed.zookeeper.url);
  barrierConformance(open);
  doubleBarrierConformance(open);
  queueConformance(open);
});
