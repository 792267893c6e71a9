import { randomBytes } from 'node:crypto';
import { eventually } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { Workflows } from '@quorate/workflow';
import { expect } from 'vitest';
import { call } from './quorate.ts';

test('workflows are shown, and one of them with what is known of it', async ({
  servers: { QUORATE_TEMPORAL = '' },
}) => {
  const own = randomBytes(4).toString('hex');
  const env = { QUORATE_TEMPORAL };
  await using workflows = await Workflows.connect({ address: QUORATE_TEMPORAL, taskQueue: `cli-${own}` });
  const run = await workflows.start('nobody-knows-it', { id: `cli-${own}` });
  const query = `WorkflowId = "cli-${own}"`;
  const listed = await eventually('it is listed', async () => {
    const { out } = await call(['inspect', 'workflows', '--query', query, '--json'], env);
    return (JSON.parse(out) as { id: string; status: string; type: string }[])[0];
  });
  expect(listed).toMatchObject({ id: run.id, status: 'running', type: 'nobody-knows-it' });
  const text = await call(['inspect', 'workflows', '--query', query], env);
  expect(text.out).toMatch(new RegExp(`^ID +TYPE +STATUS.*\\n${run.id} +nobody-knows-it +running +cli-${own}`));
  const one = await call(['inspect', 'workflows', run.id], env);
  expect(one.out).toMatch(/^STATUS +running$/m);
  expect(one.out).toMatch(/^PROGRESS +unknown: no worker answers$/m);
  await run.terminate('the test is over');
  expect((await call(['inspect', 'workflows', '--query', 'WorkflowId = "none"'], env)).out).toContain(
    'There are no workflows.',
  );
});

test.each([
  [['inspect', 'workflows', '--temporal', 'nonsense'], 'address: expected an address', 2],
  [['inspect', 'workflows', '--limit', '0'], 'a whole number from 1', 2],
  [['inspect', 'workflows'], '--temporal temporal:7233, or QUORATE_TEMPORAL', 2],
  [['inspect', 'workflows', '--temporal', '127.0.0.1:1'], 'Temporal does not answer', 1],
] as const)('%j says what is wrong: %s', async (args, expected, status) => {
  const result = await call([...args], {});
  expect([result.status, result.err]).toEqual([status, expect.stringContaining(expected)]);
});
