import { QuorateError } from '@quorate/core';

export interface ServerListFailure {
  readonly cause?: unknown;
  /** What came of the attempts on the servers that were known already. */
  readonly last?: unknown;
}

/** The function that gives the servers has not given a list that can be used: those of the last list are tried. */
export class ServerListError extends QuorateError {
  readonly why: string;

  constructor(why: string, { cause, last }: ServerListFailure = {}) {
    const then = last instanceof Error ? `; of the last list: ${last.message}` : '';
    super(`servers: the function ${why}${then}`, { code: 'server-list', retryable: true, happened: 'no', cause });
    this.why = why;
  }
}
