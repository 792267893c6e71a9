import { type Asked, ServerError } from './server-error.ts';

/** The node has another version than the one expected: somebody changed it first. */
export class BadVersionError extends ServerError {
  constructor(asked: Asked) {
    super(asked, { code: 'bad-version', serverCode: -103, text: 'the node has another version; read it again' });
  }
}
