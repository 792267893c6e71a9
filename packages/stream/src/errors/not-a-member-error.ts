import { QuorateError } from '@quorate/core';

/** The group has shared its partitions out anew, or counts this process as gone. Others may work on its partitions already. */
export class NotAMemberError extends QuorateError {
  readonly group: string;

  constructor(group: string, why: string, options: { readonly cause?: unknown } = {}) {
    super(`no member of the group "${group}" any more: ${why}`, { ...options, code: 'not-a-member', happened: 'no' });
    this.group = group;
  }
}
