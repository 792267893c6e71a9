import { QuorateError } from '@quorate/core';

/** The value has more bytes than `maxValueBytes`. Only `set` says so: what was loaded is given out and not kept. */
export class ValueTooLargeError extends QuorateError {
  constructor(key: string, bytes: number, limit: number) {
    super(`${key}: ${bytes} bytes, and maxValueBytes is ${limit}`, { code: 'value-too-large', happened: 'no' });
  }
}
