import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle, Workflows } from '@quorate/workflow';
import { type Client, serve } from './serve.ts';

await serve(async (address, taskQueue, work): Promise<Client> => {
  const out = join(tmpdir(), `${taskQueue}-${process.pid}.js`);
  await bundle({ workflowsPath: new URL('our-flows.ts', import.meta.url), out });
  const workflows = await Workflows.connect({ address, taskQueue });
  const activities = { step: work.step };
  const worker = async (queue: string): Promise<() => Promise<void>> => {
    const one = await workflows.worker({ bundle: out, activities, taskQueue: queue });
    return () => one.stop();
  };
  await worker(taskQueue);
  return {
    run: async (id, steps, queue = taskQueue) =>
      await (await workflows.start('flow', { id, args: [steps] as never, taskQueue: queue })).result(),
    begin: (id, steps) => workflows.start('flow', { id, args: [steps] as never, ifRunning: 'attach' }),
    worker,
  };
});
