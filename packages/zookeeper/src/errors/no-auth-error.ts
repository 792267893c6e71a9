import { type Asked, ServerError } from './server-error.ts';

/** The node's ACL does not allow this to our identities. */
export class NoAuthError extends ServerError {
  constructor(asked: Asked) {
    super(asked, {
      code: 'no-auth',
      serverCode: -102,
      text: 'the ACL does not allow this to the session; add auth, or change the ACL',
    });
  }
}
