// Records what the workflows of the tests do now, for replay: `node --conditions=@quorate/source packages/workflow/test/record-histories.ts`.
// Histories that are there stay: workflows that began with the code of that time may still run. Remove one by hand when that is no longer so.
import { access, writeFile } from 'node:fs/promises';
import { Testbed } from '@quorate/testbed';
import { type WorkflowRun, Workflows } from '../src/index.ts';
import * as activities from './work/activities.ts';

const folder = new URL('histories/', import.meta.url);
await using bed = await Testbed.start({ temporal: true });
await using workflows = await Workflows.connect({ address: bed.temporal.address, taskQueue: 'recorded' });
await using _worker = await workflows.worker({ workflowsPath: new URL('work/rides.ts', import.meta.url), activities });

const begin = async (name: string, type: string, args: readonly unknown[] = []): Promise<[string, WorkflowRun]> => [
  name,
  await workflows.start(type, { id: name, args: args as [] }),
];
const begun = await Promise.all([
  begin('hello', 'hello', ['cab-42']),
  begin('ride-well', 'ride', ['cab-42', 'well']),
  begin('ride-declined', 'ride', ['cab-42', 'declined']),
  begin('ride-unknown', 'ride', ['cab-42', 'unknown']),
  begin('fan-out', 'many', [6, 2]),
  begin('loop', 'long', [{ left: 5, sum: 0 }]),
  begin('deadline', 'late'),
  begin('side-by-side', 'sideBySide'),
  begin('changed', 'changed'),
]);
await workflows.get('changed').signal('onward');
for (const [name, run] of begun) {
  await run.result().catch(() => {});
  const file = new URL(`${name}.json`, folder);
  const there = await access(file).then(
    () => true,
    () => false,
  );
  if (there) console.log(`${name}: is there`);
  else await writeFile(file, `${JSON.stringify(JSON.parse(await run.history()), null, 1)}\n`);
}
