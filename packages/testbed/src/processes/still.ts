import { type EventuallyOptions, eventually } from '../eventually.ts';
import { isStill } from './groups.ts';

/**
 * Resolves when a process that was sent SIGSTOP, and all below it, stand still, or are gone: the signal arrives a little
 * after it was sent, and until then they may act. A pause that is written into a history begins here, and ends before
 * SIGCONT is sent.
 *
 *     child.kill('SIGSTOP');
 *     await standsStill(child.pid);
 *     const pause = history.fault('pause', 'worker-1');
 */
export async function standsStill(pid: number | undefined, options: EventuallyOptions = {}): Promise<void> {
  // One that could not be started has no id.
  if (pid === undefined) return;
  await eventually(`process ${pid} stands still`, () => isStill(pid), { within: 10_000, every: 1, ...options });
}
