// Rides of ten steps, for workers that die.
import { ApplicationFailure, sleep } from '@temporalio/workflow';
import { activities, saga } from '../../src/inside/index.ts';

interface Work {
  doStep(ride: string, number: number, dies: string): Promise<string>;
  undoStep(ride: string, number: number, dies: string): Promise<void>;
  march(ride: string, points: number, pace: number): Promise<number>;
}

const { doStep, undoStep } = activities<Work>({ timeout: '1s', delay: 50, maxDelay: 100 });
const { march } = activities<Work>({ timeout: '60s', heartbeat: '1s', delay: 50, maxDelay: 500 });

/** Fails at the end when asked to, so that all of it is undone. */
export async function longRide(ride: string, steps: number, dies: string, fails: boolean): Promise<string[]> {
  const undo = saga({ delay: 50, maxDelay: 200 });
  const results: string[] = [];
  for (let number = 1; number <= steps; number += 1)
    results.push(
      await undo.step(
        () => doStep(ride, number, dies),
        () => undoStep(ride, number, dies),
        { name: `step ${number}` },
      ),
    );
  if (fails) throw ApplicationFailure.nonRetryable('nobody pays', 'not-paid');
  return results;
}

export async function marches(ride: string, points: number, pace: number): Promise<number> {
  return await march(ride, points, pace);
}

/** Steps with pauses between them. */
export async function slowRide(ride: string, steps: number, pause: number): Promise<number> {
  for (let number = 1; number <= steps; number += 1) {
    await doStep(ride, number, '');
    await sleep(pause);
  }
  return steps;
}
