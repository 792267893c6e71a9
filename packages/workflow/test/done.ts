import { eventually } from '@quorate/testbed';
import type { WorkflowRun } from '../src/index.ts';
import * as activities from './work/activities.ts';

/** What the activities of one workflow did in this process, in order. */
export function doneBy(id: string): (typeof activities.done)[number][] {
  return activities.done.filter(({ key }) => key.startsWith(`${id}/`));
}

export function whatsOf(id: string): string[] {
  return doneBy(id).map(({ what }) => what);
}

/** Of the workflow `changed`: when it waits to be told to go on. */
export async function atPause(run: WorkflowRun<unknown>): Promise<void> {
  await eventually('it is at its pause', async () => (await run.query<string>('at').catch(() => '')) === 'pause');
}
