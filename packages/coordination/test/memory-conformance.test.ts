import { afterEach, beforeEach, describe } from 'vitest';
// What every client of ours must do, whatever is behind it. Its own package runs it on real servers.
import { conformance } from '../../zookeeper/test/conformance.ts';
import { type MemoryCoordination, memoryCoordination } from '../src/index.ts';
import { barrierConformance } from './conformance/barrier.ts';
import { counterConformance } from './conformance/counter.ts';
import { doubleBarrierConformance } from './conformance/double-barrier.ts';
import { electionConformance } from './conformance/election.ts';
import { groupConformance } from './conformance/group.ts';
import { lockConformance } from './conformance/lock.ts';
import { mirrorConformance } from './conformance/mirror.ts';
import { multiLockConformance } from './conformance/multi-lock.ts';
import { queueConformance } from './conformance/queue.ts';
import { readWriteLockConformance } from './conformance/read-write-lock.ts';
import { semaphoreConformance } from './conformance/semaphore.ts';
import { settingsConformance } from './conformance/settings.ts';
import type { Connect } from './conformance/store.ts';
import { tokenEpochConformance } from './conformance/token-epoch.ts';

let memory: MemoryCoordination;
let sweeping: NodeJS.Timeout;

beforeEach(() => {
  memory = memoryCoordination();
  // No time passes in memory: what servers delete in time is deleted when it is swept.
  sweeping = setInterval(() => void memory.sweep(), 20);
});
afterEach(() => clearInterval(sweeping));

const open: Connect = async () => memory.connect();

describe('the client, in memory', () => conformance({ open, has: { modern: true } }));

describe('in memory', () => {
  lockConformance(open);
  electionConformance(open);
  readWriteLockConformance(open);
  semaphoreConformance(open);
  multiLockConformance(open);
  counterConformance(open);
  settingsConformance(open);
  groupConformance(open);
  mirrorConformance(open);
  barrierConformance(open);
  doubleBarrierConformance(open);
  queueConformance(open);
  tokenEpochConformance(async (options) => memory.connect(options));
});
