import { activityInfo } from '@temporalio/activity';
import { failureOf } from './failure.ts';

/**
 * Says of an activity that doing it twice does no harm, as it finds out by itself whether it was done: then it is tried again also
 * after an error that leaves this open (`ambiguous`, `deadline-exceeded`).
 *
 *     export const charge = idempotent(async (ride: string) => await effects.once((tx) => …));
 */
export function idempotent<Arguments extends unknown[], Result>(
  work: (...args: Arguments) => Promise<Result>,
): (...args: Arguments) => Promise<Result> {
  return async (...args) => {
    try {
      return await work(...args);
    } catch (error) {
      throw failureOf(error, activityInfo(), { idempotent: true });
    }
  };
}
