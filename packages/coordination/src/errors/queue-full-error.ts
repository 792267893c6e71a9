import { QuorateError } from '@quorate/core';

/** The queue holds as many items as it may. Nothing was put. */
export class QueueFullError extends QuorateError {
  constructor(path: string, size: number, maxSize: number) {
    super(`${path}: the queue is full: it has ${size} items, and maxSize is ${maxSize}; put again when some are done`, {
      code: 'queue-full',
      retryable: true,
      happened: 'no',
    });
  }
}
