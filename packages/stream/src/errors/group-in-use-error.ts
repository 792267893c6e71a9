import { QuorateError } from '@quorate/core';

/** The group has members: what they do next would be set against what was to be changed. Nothing was changed. */
export class GroupInUseError extends QuorateError {
  readonly group: string;

  constructor(group: string, members: number) {
    super(`the group "${group}" has ${members} members: stop them first`, { code: 'group-in-use', happened: 'no' });
    this.group = group;
  }
}
