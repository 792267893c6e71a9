import { QuorateError } from '@quorate/core';

/** There is no such group: it has no member, and has committed nothing. */
export class UnknownGroupError extends QuorateError {
  readonly group: string;

  constructor(group: string) {
    super(
      `there is no group "${group}": check its name; a group is forgotten some time after its last member has gone`,
      {
        code: 'unknown-group',
        happened: 'no',
      },
    );
    this.group = group;
  }
}
