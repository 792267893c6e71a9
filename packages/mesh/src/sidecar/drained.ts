import { sleep } from '@quorate/core';
import type { EnvoyAdmin } from './envoy-admin.ts';

/**
 * Without a request for so long, in milliseconds, nobody sends any more. Other Envoys hear at once that an instance is to be
 * left out, and heed it within a second.
 */
const quiet = 1_200;

/** Has others asked to end their connections; resolves when none has come for a while, and ours are over. */
export async function drained(admin: EnvoyAdmin, signal: AbortSignal): Promise<void> {
  await admin.drain(signal);
  let last = -1;
  let since = performance.now();
  let oursAreOver = false;
  for (;;) {
    const { active, total, ours } = await admin.traffic(signal);
    // A program that asks others all the time always begins new ones: it is enough that there were none once.
    oursAreOver ||= ours === 0;
    if (active > 0 || total !== last) since = performance.now();
    if (oursAreOver && performance.now() - since > quiet) return;
    last = total;
    await sleep(20, { signal });
  }
}
