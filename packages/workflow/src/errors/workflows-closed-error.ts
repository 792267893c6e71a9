import { QuorateError } from '@quorate/core';

/** It was closed before. Nothing was done. */
export class WorkflowsClosedError extends QuorateError {
  constructor() {
    super('these workflows were closed: connect again', { code: 'workflows-closed', happened: 'no' });
  }
}
