// Apart from vitest.ts because Vitest runs a global setup outside of any test: nothing of Vitest may be imported here.
import type {} from 'vitest';
import type { TestbedOptions } from './options.ts';
import { type StartOptions, Testbed } from './testbed.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the servers of the shared bed are; see `sharedBed`. */
    quorateBed: Readonly<Record<string, string>>;
  }
}

/**
 * One bed for a whole run, for tests that only read or keep to names of their own. Export it as the default from a file
 * that the Vitest configuration names as `globalSetup`; tests then use `sharedTest`.
 */
export function sharedBed(
  options: TestbedOptions,
  start: StartOptions = {},
): (project: {
  provide(key: 'quorateBed', value: Readonly<Record<string, string>>): void;
}) => Promise<() => Promise<void>> {
  return async ({ provide }) => {
    const bed = await Testbed.start(options, start);
    provide('quorateBed', bed.environment);
    return () => bed.stop();
  };
}
