import type { ChildProcess } from 'node:child_process';
import { QuorateError } from '@quorate/core';

/** The process that ends a bed's servers when their owner dies has itself been ended by somebody. */
export class WardenEndedError extends QuorateError {
  constructor({ pid, exitCode, signalCode }: Pick<ChildProcess, 'pid' | 'exitCode' | 'signalCode'>) {
    super(
      `the process ${pid}, which ends the servers of this bed when their owner dies, has ended with ` +
        `${signalCode ?? exitCode}: nothing more is started in the bed; stop the bed and start another one`,
      { code: 'warden-ended' },
    );
  }
}
