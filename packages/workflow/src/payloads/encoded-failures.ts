import { DefaultFailureConverter } from '@temporalio/common';

/** Where values are encrypted, what errors say is too. The library loads this by its path, also into the bundle of workflows. */
export const failureConverter: DefaultFailureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
