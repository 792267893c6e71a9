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
  const worker = async (queue: string): Promise<() => Promise<void>> => {
    const one = await Worker.create({ connection, taskQueue: queue, workflowBundle, activities });
    const running = one.run();
    return async () => {
      one.shutdown();
      await running;
    };
  };
  await worker(taskQueue);
  return {
    run: (id, steps, queue = taskQueue) =>
      workflow.execute('flow', { workflowId: id, taskQueue: queue, args: [steps] }),
    begin: (id, steps) =>
      workflow.start('flow', { workflowId: id, taskQueue, args: [steps], workflowIdConflictPolicy: 'USE_EXISTING' }),
    worker,
  };
});
