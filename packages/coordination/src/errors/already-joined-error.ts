import { QuorateError } from '@quorate/core';

/** An id stands for one member. Two memberships on one node would end one another. */
export class AlreadyJoinedError extends QuorateError {
  constructor(path: string, id: string) {
    super(`${path}: ${id} is already a member in this session; leave that membership first, or join with another id`, {
      code: 'already-joined',
      happened: 'no',
    });
  }
}
