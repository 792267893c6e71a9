// Workflows that were changed without a thought for those that run.
import { sleep } from '@temporalio/workflow';
import { activities, saga } from '../../src/inside/index.ts';
import type * as work from './activities.ts';

const { book, release, charge, refund, echo } = activities<typeof work>({ timeout: '10s' });

export async function hello(name: string): Promise<string> {
  return `hello ${name}`;
}

export async function ride(cab: string): Promise<string> {
  const undo = saga();
  await undo.step(
    () => charge(cab),
    () => refund(cab),
  );
  return await undo.step(
    () => book(cab),
    () => release(cab),
  );
}

export async function changed(): Promise<string> {
  await sleep(10);
  return (await echo('fare')) as string;
}
