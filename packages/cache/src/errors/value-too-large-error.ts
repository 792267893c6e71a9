import { QuorateError } from '@quorate/core';

/** The value has more bytes than `maxValueBytes`. Only `set` says so: what was loaded is given out and not kept. */
export class ValueTooLargeError extends QuorateError {
  constructor(key: string, bytes: number, limit: number) {
    super(`${key}: the value has ${bytes} bytes, more than maxValueBytes (${limit}); raise it, or store less`, {
      code: 'value-too-large',
      happened: 'no',
    });
  }
}
