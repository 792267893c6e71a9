import { QuorateError } from '@quorate/core';

/** An argument or a result is larger than allowed. It was not sent. */
export class PayloadTooLargeError extends QuorateError {
  readonly bytes: number;
  readonly limit: number;

  constructor(bytes: number, limit: number) {
    super(
      `a value of ${bytes} bytes, where ${limit} are allowed: put it into storage (@quorate/storage), and pass its key; or raise maxPayloadBytes`,
      { code: 'payload-too-large', happened: 'no' },
    );
    this.bytes = bytes;
    this.limit = limit;
  }
}
