import { QuorateError } from '@quorate/core';

/** There is no such schedule. Nothing was changed. */
export class UnknownScheduleError extends QuorateError {
  readonly id: string;

  constructor(id: string, options: { readonly cause?: unknown } = {}) {
    super(`there is no schedule "${id}": make it with schedules.put()`, {
      ...options,
      code: 'unknown-schedule',
      happened: 'no',
    });
    this.id = id;
  }
}
