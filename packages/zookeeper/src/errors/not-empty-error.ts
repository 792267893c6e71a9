import { type Asked, ServerError } from './server-error.ts';

/** The node has children, so it was not deleted. */
export class NotEmptyError extends ServerError {
  constructor(asked: Asked) {
    super(asked, {
      code: 'not-empty',
      serverCode: -111,
      text: 'the node has children; delete them first or use recursive',
    });
  }
}
