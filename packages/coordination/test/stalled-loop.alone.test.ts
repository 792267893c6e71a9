import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { connect } from '@quorate/zookeeper';
import { expect } from 'vitest';
import { Lock } from '../src/index.ts';

const test = bedTest({ zookeeper: 1 });

/** Nothing else of this process runs meanwhile. */
function stall(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('an event loop that stands still for a quarter of the session timeout costs no lease, and for more than half of it does', async ({
  bed,
}) => {
  await using zk = await connect(bed.zookeeper.url, { sessionTimeout: 4_000 });
  await using lease = await new Lock(zk, '/stalled').acquire();
  for (let round = 0; round < 3; round += 1) {
    stall(zk.sessionTimeout / 4);
    expect(lease.signal.aborted).toBe(false);
    // Its answer is what the next stall counts from.
    await zk.sync('/');
    const beaten = performance.now();
    await eventually('the next beat has had its time', () => performance.now() > beaten + zk.sessionTimeout / 8);
    expect(lease.signal.aborted).toBe(false);
  }
  stall(zk.sessionTimeout * 0.55);
  expect(lease.signal.aborted).toBe(true);
  expect(lease.signal.reason).toMatchObject({ code: 'lease-suspended' });
});
