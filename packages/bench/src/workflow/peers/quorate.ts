import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle, Workflows } from '@quorate/workflow';
import { type Client, serve } from './serve.ts';

await serve(async (address, taskQueue, work): Promise<Client> => {
  const out = join(tmpdir(), `${taskQueue}-${process.pid}.js`);
  await bundle({ workflowsPath: new URL('our-flows.ts', import.meta.url), out });
  const workflows = await Workflows.connect({ address, taskQueue });
  const activities = { step: work.step };
  const worker = async (): Promise<() => Promise<void>> => {
    const one = await workflows.worker({ bundle: out, activities });
    return () => one.stop();
  };
  await worker();
  return {
    run: async (id, steps) => await (await workflows.start('flow', { id, args: [steps] as never })).result(),
    begin: (id, steps) => workflows.start('flow', { id, args: [steps] as never, ifRunning: 'attach' }),
    worker,
  };
});
