import { activities } from '@quorate/workflow/inside';
import type { Work } from './serve.ts';

const { step } = activities<Work>();

export async function flow(steps: number): Promise<number> {
  for (let number = 0; number < steps; number += 1) await step(number);
  return steps;
}
