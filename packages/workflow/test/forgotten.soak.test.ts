import { eventually } from '@quorate/testbed';
import { Client, Connection } from '@temporalio/client';
import { expect, test } from 'vitest';
import { bench, sharedTemporal, sources } from './fixture.ts';
import type * as cases from './work/saga-cases.ts';

// The server takes a quarter of a minute to forget.
test('the result of a workflow that was continued is found when the server has forgotten its first run', async () => {
  await using b = await bench(sharedTemporal());
  await b.workflows.worker({ workflowsPath: sources('saga-cases') });
  const id = b.id('keeps-on');
  const first = await b.workflows.start<typeof cases.keepsOn>('keepsOn', { id, args: [100_000] });
  await eventually('it is continued', async () => (await b.workflows.get(id).describe()).runId !== first.runId);
  const connection = await Connection.connect({ address: sharedTemporal() });
  try {
    const workflowExecution = { workflowId: id, runId: first.runId ?? null };
    await connection.workflowService.deleteWorkflowExecution({ namespace: 'default', workflowExecution });
    const { workflow } = new Client({ connection });
    await eventually(
      'the first run is forgotten',
      () =>
        workflow
          .getHandle(id, first.runId)
          .describe()
          .then(
            () => false,
            () => true,
          ),
      { within: 60_000 },
    );
  } finally {
    await connection.close();
  }
  const ending = first.result();
  ending.catch(() => {});
  await first.cancel();
  await expect(ending).rejects.toMatchObject({ code: 'workflow-cancelled' });
}, 90_000);
