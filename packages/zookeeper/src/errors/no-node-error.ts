import { type Asked, ServerError } from './server-error.ts';

/** There is no node at this path. */
export class NoNodeError extends ServerError {
  constructor(asked: Asked) {
    super(asked, { code: 'no-node', serverCode: -101, text: 'there is no such node' });
  }
}
