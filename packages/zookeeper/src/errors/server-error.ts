import { QuorateError } from '@quorate/core';

/** What was asked of the server, for the message of an error. */
export interface Asked {
  readonly operation: string;
  readonly path?: string;
}

/** What an error code of the protocol means. */
interface Meaning {
  readonly code: string;
  readonly text: string;
  readonly retryable?: boolean;
  /** Default `no`: most codes are refusals. */
  readonly happened?: 'no' | 'unknown';
  readonly serverCode: number;
}

/** The server answered a request with an error. `code` says which, `serverCode` is its number in the protocol. */
export class ServerError extends QuorateError {
  readonly serverCode: number;
  readonly operation: string;
  readonly path: string | undefined;

  constructor(asked: Asked, meaning: Meaning) {
    const what = asked.path === undefined ? asked.operation : `${asked.operation} ${asked.path}`;
    super(`${what}: ${meaning.text}`, {
      code: meaning.code,
      retryable: meaning.retryable ?? false,
      happened: meaning.happened ?? 'no',
    });
    this.serverCode = meaning.serverCode;
    this.operation = asked.operation;
    this.path = asked.path;
  }
}
