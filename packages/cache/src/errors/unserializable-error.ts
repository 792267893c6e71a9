import { QuorateError } from '@quorate/core';

/** The serializer cannot write this value. Nothing was kept. */
export class UnserializableError extends QuorateError {
  readonly key: string;

  constructor(key: string, serializer: string, why: string, cause?: unknown) {
    super(`${key}: the serializer ${serializer} cannot write this value: ${why}; choose another serializer or value`, {
      code: 'unserializable',
      happened: 'no',
      cause,
    });
    this.key = key;
  }
}
