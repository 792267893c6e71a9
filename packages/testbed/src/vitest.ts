import { afterAll, inject, type TestAPI, test } from 'vitest';
import type { TestbedOptions } from './options.ts';
import { type BedOf, type StartOptions, Testbed } from './testbed.ts';
import type {} from './vitest-setup.ts';

/**
 * A `test` with a bed of its own for each test file: free to break things.
 *
 *     const test = bedTest({ zookeeper: 3 });
 *     test('goes on without one member', async ({ bed }) => {
 *       await bed.zookeeper.member(1).kill();
 *     });
 *
 * The bed starts with the first test that asks for it and is gone after the file.
 */
export function bedTest<const Options extends TestbedOptions>(
  options: Options,
  start: StartOptions = {},
): TestAPI<{ bed: BedOf<Options> }> {
  let starting: Promise<BedOf<Options>> | undefined;
  const over = new AbortController();
  // Vitest cleans up what its tests were given: not what is still on its way when they have timed out.
  afterAll(async () => {
    over.abort(new Error('the tests of the file are over'));
    await starting?.then(
      (bed) => bed.stop(),
      () => {},
    );
  });
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads from the pattern which other fixtures this one needs.
  return test.extend('bed', { scope: 'file' }, async ({}, { onCleanup }) => {
    const signal = start.signal ? AbortSignal.any([start.signal, over.signal]) : over.signal;
    starting = Testbed.start(options, { ...start, signal });
    const bed = await starting;
    starting = undefined;
    onCleanup(() => bed.stop());
    return bed;
  }) as unknown as TestAPI<{ bed: BedOf<Options> }>;
}

/** A `test` that is told where the servers of the shared bed are: `({ servers }) => connect(servers.QUORATE_ZOOKEEPER)`. */
export const sharedTest: TestAPI<{ servers: Readonly<Record<string, string>> }> = test.extend('servers', () => {
  const servers = inject('quorateBed');
  if (!servers) throw new Error('there is no shared bed: name a file that exports sharedBed(…) as globalSetup');
  return servers;
}) as unknown as TestAPI<{ servers: Readonly<Record<string, string>> }>;
