import { expect, test } from 'vitest';
import { unimported } from './unimported.ts';

test('names the files that tests only start or read, not those that they import, through others too', () => {
  const started = [
    'README.md',
    'examples/concepts/concurrency/dora-process.ts',
    'packages/cli/bootstrap.js',
    'packages/testbed/programs/lock.json',
  ];
  const imported = [
    'packages/cli/claim.js',
    'packages/cli/src/commands/run.ts',
    'packages/cli/workspace/unimported.test.ts',
    'packages/core/src/deadline.ts',
    'packages/testbed/src/processes/warden.ts',
    'packages/testbed/src/vitest.ts',
  ];
  // With these Vitest runs every test.
  const all = ['package.json', 'packages/core/package.json', 'vitest.config.ts'];
  expect(unimported([...imported, ...all, ...started].toReversed())).toEqual(started);
});
