import { once } from 'node:events';
import { afterEach, expect, test, vi } from 'vitest';
import { isAlive } from '../../test/alive.ts';
import { eventually } from '../eventually.ts';
import { groupsUnder } from './groups.ts';
import { ProcessTree } from './process-tree.ts';
import { Warden } from './warden.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Its timers are ours; what it sends to its group is in `sent`. */
async function slowed() {
  const warden = Warden.withoutFolder();
  const child = await warden.launch({ command: 'sleep', args: ['600'], cwd: '/', output: 'pipe' });
  const tree = new ProcessTree(child, warden);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const kill = vi.spyOn(process, 'kill');
  const sent = () =>
    kill.mock.calls.filter(([pid, signal]) => pid === -tree.pid && signal !== 0).map(([, signal]) => signal);
  tree.slow({ duty: 0.5, period: 100 });
  vi.advanceTimersByTime(100);
  expect(sent()).toEqual(['SIGSTOP', 'SIGCONT', 'SIGSTOP']);
  return { tree, child, sent, [Symbol.asyncDispose]: () => warden.close() };
}

test.each([
  ['halt', 'SIGSTOP'],
  ['go', 'SIGCONT'],
] as const)('%s ends its slowness, however often it was slowed', async (how, last) => {
  await using slow = await slowed();
  slow.tree.slow({ duty: 0.4, period: 100 });
  slow.tree[how]();
  expect(slow.tree.isSlow).toBe(false);
  const before = slow.sent().length;
  vi.advanceTimersByTime(1_000);
  expect(slow.sent()).toHaveLength(before);
  expect(slow.sent().at(-1)).toBe(last);
});

test('it is not slow once it has ended: its number may be somebody else’s', async () => {
  await using slow = await slowed();
  const exit = once(slow.child, 'exit');
  process.kill(slow.tree.pid, 'SIGKILL');
  await exit;
  expect(slow.tree.isSlow).toBe(false);
  vi.useRealTimers();
  await slow.tree.ended;
});

test.skipIf(process.platform !== 'linux')('a group is on the list of the warden while it stands still', async () => {
  await using warden = Warden.withoutFolder();
  const args = ['-c', 'setsid sleep 600 & wait'];
  const tree = new ProcessTree(await warden.launch({ command: 'sh', args, cwd: '/', output: 'pipe' }), warden);
  const [group] = await eventually('its child has a group', () => {
    const groups = groupsUnder(tree.pid);
    return groups.length > 0 ? groups : undefined;
  });
  const list = vi.spyOn(warden, 'list');
  const unlist = vi.spyOn(warden, 'unlist');
  tree.halt();
  expect(list.mock.calls).toEqual([[group]]);
  tree.go();
  expect(unlist.mock.calls).toEqual([[group]]);
  await tree.end('SIGKILL', 0);
  expect(isAlive(group as number)).toBe(false);
});
