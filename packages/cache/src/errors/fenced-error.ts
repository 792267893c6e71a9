import { QuorateError } from '@quorate/core';

/** Somebody with a newer token has read or written here: whoever holds this one is no longer the leader and must stop. */
export class FencedError extends QuorateError {
  readonly key: string;
  readonly token: bigint;

  constructor(key: string, token: bigint) {
    super(`${key}: another holder has used a newer fencing token than ${token}; stop acting under this one`, {
      code: 'fenced',
      happened: 'no',
    });
    this.key = key;
    this.token = token;
  }
}
