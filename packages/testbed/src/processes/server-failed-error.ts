import { QuorateError } from '@quorate/core';

/** A server died while starting, or did not become ready in time. Its last words are in the message. */
export class ServerFailedError extends QuorateError {
  readonly server: string;

  constructor(server: string, what: string, log: readonly string[], cause?: unknown) {
    const words =
      log.length > 0
        ? `The last lines of its log:\n${log.map((line) => `  | ${line}`).join('\n')}`
        : 'It logged nothing.';
    super(`${server} ${what}. ${words}`, { code: 'server-failed', cause });
    this.server = server;
  }
}
