// `changed` as it was before its change.
import { condition, defineQuery, defineSignal, setHandler } from '@temporalio/workflow';
import { activities } from '../../src/inside/index.ts';
import type * as work from './activities.ts';

const { echo } = activities<typeof work>({ timeout: '10s' });

export async function changed(): Promise<string> {
  await echo('start');
  let onward = false;
  let at = 'pause';
  setHandler(defineQuery<string>('at'), () => at);
  setHandler(defineSignal('onward'), () => {
    onward = true;
  });
  await condition(() => onward);
  at = 'end';
  return (await echo('fare')) as string;
}
