import { QuorateError } from '@quorate/core';

/** The arguments of a call, or a result, are larger than allowed. They were not sent. */
export class PayloadTooLargeError extends QuorateError {
  readonly bytes: number;
  readonly limit: number;

  constructor(bytes: number, limit: number) {
    super(
      `${bytes} bytes of values, where ${limit} are allowed: put them into storage (@quorate/storage), and pass their keys; or raise maxPayloadBytes`,
      { code: 'payload-too-large', happened: 'no' },
    );
    this.bytes = bytes;
    this.limit = limit;
  }
}
