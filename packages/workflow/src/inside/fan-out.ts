import { checkNames, InvalidArgumentError } from '@quorate/core';
import { CancellationScope } from '@temporalio/workflow';
import { howMany } from './how-many.ts';
import { endsRun } from './outcome.ts';
import { refusing } from './refusal.ts';

export interface FanOutOptions {
  /** How many are worked on at a time. Default 10. */
  readonly concurrency?: number;
  /**
   * `stop` (default): the first failure cancels what is under way, and is thrown when that has ended. `collect`: all are done, and each has an outcome.
   */
  readonly failures?: 'stop' | 'collect';
}

/**
 * Does `work` for each item, some at a time; gives the results in the order of the items.
 *
 *     const sizes = await fanOut(files, (file) => load(file), { concurrency: 4 });
 *
 * Hazard: each activity is a handful of events, and a run may have 51,200: more than some thousands of items belong into `loop`, a part in each round.
 */
export function fanOut<Item, Result>(
  items: Iterable<Item>,
  work: (item: Item, index: number) => Promise<Result>,
  options: FanOutOptions & { readonly failures: 'collect' },
): Promise<PromiseSettledResult<Result>[]>;
export function fanOut<Item, Result>(
  items: Iterable<Item>,
  work: (item: Item, index: number) => Promise<Result>,
  options?: FanOutOptions & { readonly failures?: 'stop' },
): Promise<Result[]>;
export async function fanOut<Item, Result>(
  items: Iterable<Item>,
  work: (item: Item, index: number) => Promise<Result>,
  options: FanOutOptions = {},
): Promise<(Result | PromiseSettledResult<Result>)[]> {
  const { concurrency, collect } = checkOptions(options);
  const list = [...items];
  const outcomes: PromiseSettledResult<Result>[] = new Array(list.length);
  const scope = new CancellationScope();
  let next = 0;
  let failure: { readonly error: unknown } | undefined;
  const lane = async (): Promise<void> => {
    while (next < list.length && failure === undefined) {
      const index = next;
      next += 1;
      try {
        outcomes[index] = { status: 'fulfilled', value: await work(list[index] as Item, index) };
      } catch (error) {
        // A fault of the program: the task is tried again when it is mended, and the items must not have been cancelled by then.
        if (!endsRun(error)) throw error;
        // Cancelled from outside: nothing further is begun.
        if (collect && !scope.consideredCancelled) {
          outcomes[index] = { status: 'rejected', reason: error };
          continue;
        }
        failure ??= { error };
        scope.cancel();
      }
    }
  };
  await scope.run(() => Promise.all(Array.from({ length: Math.min(concurrency, list.length) }, lane)));
  if (failure !== undefined) throw failure.error;
  return collect ? outcomes : outcomes.map((outcome) => (outcome as PromiseFulfilledResult<Result>).value);
}

function checkOptions(options: FanOutOptions): { readonly concurrency: number; readonly collect: boolean } {
  return refusing(() => {
    checkNames('options', options, ['concurrency', 'failures']);
    const { concurrency = 10, failures = 'stop' } = options;
    if (failures !== 'stop' && failures !== 'collect')
      throw new InvalidArgumentError('failures', '"stop" or "collect"', failures);
    return { concurrency: howMany('concurrency', concurrency), collect: failures === 'collect' };
  });
}
