import { expect, test } from 'vitest';
import type { Agent } from '../agent/agent.ts';
import type { Sidecar } from '../sidecar/sidecar.ts';
import { Intentions } from './intentions.ts';
import { Propagation } from './propagation.ts';

/** A sidecar that counts how often its configuration is read. */
function sidecarOf(service: string): { readonly sidecar: Sidecar; readonly asked: () => number } {
  let asked = 0;
  const configuration = async (): Promise<undefined> => {
    asked += 1;
  };
  return { sidecar: { service, state: 'ready', configuration } as unknown as Sidecar, asked: () => asked };
}

test('a change waits for the sidecars of its destination, whichever mesh started them; for `*`, all of them', async () => {
  const [query, rides] = [sidecarOf('query'), sidecarOf('rides')];
  const [one, other] = [new Propagation(), new Propagation()];
  one.add(query.sidecar);
  other.add(rides.sidecar);
  const intentions = new Intentions({ call: async () => ({ body: true }) } as unknown as Agent, one);
  // Each is asked before and after.
  await intentions.deny('gateway', 'rides');
  expect([query.asked(), rides.asked()]).toEqual([0, 2]);
  await intentions.deny('gateway', 'query');
  expect([query.asked(), rides.asked()]).toEqual([2, 2]);
  await intentions.deny('gateway', '*');
  expect([query.asked(), rides.asked()]).toEqual([4, 4]);
  await intentions.remove('*', '*');
  expect([query.asked(), rides.asked()]).toEqual([6, 6]);
});
