import { afterEach, beforeEach } from 'vitest';
// What every client of ours must do, whatever is behind it. Its own package runs it on real servers.
import { conformance } from '../../zookeeper/test/conformance.ts';
import { type MemoryCoordination, memoryCoordination } from '../src/index.ts';

let memory: MemoryCoordination;
let sweeping: NodeJS.Timeout;

beforeEach(() => {
  memory = memoryCoordination();
  // No time passes in memory: what servers delete in time is deleted when it is swept.
  sweeping = setInterval(() => void memory.sweep(), 20);
});
afterEach(() => clearInterval(sweeping));

conformance({ open: async () => memory.connect(), has: { modern: true } });
