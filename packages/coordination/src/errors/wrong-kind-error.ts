import { QuorateError } from '@quorate/core';

/** The path is in use for something else. Two kinds on one path would not see one another. */
export class WrongKindError extends QuorateError {
  constructor(path: string, wanted: string, found: string) {
    super(`${path}: expected ${wanted}, found ${found}; use another path, or delete it if it is left over`, {
      code: 'wrong-kind',
      happened: 'no',
    });
  }
}
