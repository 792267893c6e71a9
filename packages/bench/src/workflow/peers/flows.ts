// The workflows of the bare peer. Those of ours differ in one line.
import { proxyActivities } from '@temporalio/workflow';
import type { Work } from './serve.ts';

const { step } = proxyActivities<Work>({ startToCloseTimeout: '1m' });

export async function flow(steps: number): Promise<number> {
  for (let number = 0; number < steps; number += 1) await step(number);
  return steps;
}
