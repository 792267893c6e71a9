import { AmbiguousError, sleep } from '@quorate/core';
import type { Sidecar } from '../sidecar/sidecar.ts';

/** How long a change may take to reach an Envoy, in milliseconds. After that there was nothing for it to change. */
const arrival = 2_000;

/** A change arrives in several steps: clusters, listeners, routes. It is there when nothing more comes for so long. */
const stillness = 200;

const look = 50;

/** Of the whole process, and not of one mesh: another one may run them. */
const sidecars = new Set<Sidecar>();

/**
 * The sidecars of this process, and when they have what was written. Envoy has no word for "I have it", so its
 * configuration is compared with what it was. Sidecars of other processes cannot be asked.
 */
export class Propagation {
  add(sidecar: Sidecar): void {
    sidecars.add(sidecar);
  }

  /** Writes, and resolves when the sidecars that are concerned have it. An abort after the write does not undo it. */
  async through(
    write: () => Promise<void>,
    concerns: (sidecar: Sidecar) => boolean,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    for (const sidecar of sidecars) if (sidecar.state === 'stopped') sidecars.delete(sidecar);
    const concerned = [...sidecars].filter(concerns);
    const before = await Promise.all(concerned.map((sidecar) => sidecar.configuration(signal)));
    await write();
    try {
      await Promise.all(concerned.map((sidecar, index) => arrived(sidecar, before[index], signal)));
    } catch (error) {
      if (!signal?.aborted) throw error;
      const what = 'the wait for the sidecars was aborted: Consul has the change, and they may or may not have it';
      throw new AmbiguousError(what, { cause: signal.reason });
    }
  }
}

async function arrived(sidecar: Sidecar, before: string | undefined, signal: AbortSignal | undefined): Promise<void> {
  const begun = performance.now();
  let last = before;
  let changed = begun;
  for (;;) {
    await sleep(look, { signal });
    const now = await sidecar.configuration(signal);
    // One that cannot be asked is starting again: it will begin with what is true then.
    if (now === undefined) return;
    if (now !== last) {
      last = now;
      changed = performance.now();
    }
    const patience = last === before ? arrival : stillness;
    if (performance.now() - changed <= patience && performance.now() - begun < 2 * arrival) continue;
    // Not before the last connection has ended that was allowed by what is no longer true.
    if (last === before || !(await sidecar.lingers(signal))) return;
  }
}
