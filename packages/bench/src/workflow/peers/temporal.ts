import { fileURLToPath } from 'node:url';
import { Connection, Client as Temporal } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { type Client, serve } from './serve.ts';

await serve(async (address, taskQueue, work): Promise<Client> => {
  const logger = new DefaultLogger('ERROR');
  Runtime.install({ logger, shutdownSignals: [] });
  const workflowsPath = fileURLToPath(new URL('flows.ts', import.meta.url));
  const workflowBundle = await bundleWorkflowCode({ workflowsPath, logger });
  const { workflow } = new Temporal({ connection: await Connection.connect({ address }) });
  const connection = await NativeConnection.connect({ address });
  const activities = { step: work.step };
  const worker = async (): Promise<() => Promise<void>> => {
    const one = await Worker.create({ connection, taskQueue, workflowBundle, activities });
    const running = one.run();
    return async () => {
      one.shutdown();
      await running;
    };
  };
  await worker();
  return {
    run: (id, steps) => workflow.execute('flow', { workflowId: id, taskQueue, args: [steps] }),
    begin: (id, steps) =>
      workflow.start('flow', { workflowId: id, taskQueue, args: [steps], workflowIdConflictPolicy: 'USE_EXISTING' }),
    worker,
  };
});
