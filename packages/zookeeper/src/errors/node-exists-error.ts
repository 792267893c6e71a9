import { type Asked, ServerError } from './server-error.ts';

/** There is a node at this path already. */
export class NodeExistsError extends ServerError {
  constructor(asked: Asked) {
    super(asked, { code: 'node-exists', serverCode: -110, text: 'the node already exists' });
  }
}
