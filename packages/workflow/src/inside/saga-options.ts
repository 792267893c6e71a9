import { checkNames, type Duration, duration } from '@quorate/core';
import { howMany } from './how-many.ts';
import { refusing } from './refusal.ts';

export interface SagaOptions {
  /** How often the undoing of one step is tried, beside what the activity in it repeats by itself. Default 20. */
  readonly attempts?: number;
  /** The first pause between two of these, which doubles. Default 1 s. */
  readonly delay?: Duration;
  /** No pause is longer. Default 5 min. */
  readonly maxDelay?: Duration;
}

export interface SagaSettings {
  readonly attempts: number;
  readonly delay: number;
  readonly maxDelay: number;
}

export function checkSagaOptions(options: SagaOptions): SagaSettings {
  return refusing(() => {
    checkNames('options', options, ['attempts', 'delay', 'maxDelay']);
    const { attempts = 20, delay = '1s', maxDelay = '5m' } = options;
    const first = duration(delay, { name: 'delay', least: 1 });
    return {
      attempts: howMany('attempts', attempts),
      delay: first,
      maxDelay: duration(maxDelay, { name: 'maxDelay', least: first }),
    };
  });
}
