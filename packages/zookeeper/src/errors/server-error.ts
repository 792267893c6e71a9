import { QuorateError } from '@quorate/core';

/** What was asked of the server, for the message of an error. */
export interface Asked {
  readonly operation: string;
  readonly path?: string;
}

/** The server answered a request with an error. `code` says which, `serverCode` is its number in the protocol. */
export class ServerError extends QuorateError {
  readonly serverCode: number;
  readonly operation: string;
  readonly path: string | undefined;

  constructor(asked: Asked, meaning: { code: string; text: string; retryable?: boolean; serverCode: number }) {
    const what = asked.path === undefined ? asked.operation : `${asked.operation} ${asked.path}`;
    super(`${what}: ${meaning.text}`, { code: meaning.code, retryable: meaning.retryable ?? false });
    this.serverCode = meaning.serverCode;
    this.operation = asked.operation;
    this.path = asked.path;
  }
}
