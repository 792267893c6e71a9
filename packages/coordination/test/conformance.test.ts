import { type BedOf, Testbed } from '@quorate/testbed';
import { connect } from '@quorate/zookeeper';
import { afterAll, beforeAll, describe } from 'vitest';
import { barrierConformance } from './conformance/barrier.ts';
import { doubleBarrierConformance } from './conformance/double-barrier.ts';
import { electionConformance } from './conformance/election.ts';
import { lockConformance } from './conformance/lock.ts';
import { multiLockConformance } from './conformance/multi-lock.ts';
import { queueConformance } from './conformance/queue.ts';
import { readWriteLockConformance } from './conformance/read-write-lock.ts';
import { semaphoreConformance } from './conformance/semaphore.ts';
import type { Connect } from './conformance/store.ts';
import { tokenEpochConformance } from './conformance/token-epoch.ts';

describe('on a real server', () => {
  let bed: BedOf<{ zookeeper: 1 }>;

  beforeAll(async () => {
    bed = await Testbed.start({ zookeeper: 1 });
  });
  afterAll(() => bed?.stop());

  const open: Connect = () => connect(bed.zookeeper.url);
  lockConformance(open);
  electionConformance(open);
  readWriteLockConformance(open);
  semaphoreConformance(open);
  multiLockConformance(open);
  barrierConformance(open);
  doubleBarrierConformance(open);
  queueConformance(open);
  tokenEpochConformance((options) => connect(bed.zookeeper.url, options));
});
