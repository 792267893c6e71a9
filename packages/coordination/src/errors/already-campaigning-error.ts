import { QuorateError } from '@quorate/core';

/** A candidate stands once. A second campaign under its id would be its own rival, and two terms could overlap. */
export class AlreadyCampaigningError extends QuorateError {
  constructor(path: string, id: string) {
    super(`${path}: ${id} is already campaigning or leading in this session; end that first, or use another id`, {
      code: 'already-campaigning',
      happened: 'no',
    });
  }
}
