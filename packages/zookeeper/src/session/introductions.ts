import { AuthFailedError } from '../errors/auth-failed-error.ts';
import type { Auth } from '../options.ts';

interface Introduction {
  readonly auth: Auth;
  /** It is on its way to the server. */
  sent: boolean;
  readonly settle: PromiseWithResolvers<void>;
}

/** Credentials that were added and that no server has accepted yet. */
export class Introductions {
  readonly #waiting = new Set<Introduction>();

  /** Resolves when a server has accepted them. */
  add(auth: Auth): Promise<void> {
    const settle = Promise.withResolvers<void>();
    this.#waiting.add({ auth, sent: false, settle });
    return settle.promise;
  }

  /**
   * Gives them to a server. Those it refuses are told so and forgotten; those whose connection is lost wait for the next.
   * False when the connection is lost, as it is after a refusal.
   */
  async make(authenticate: (auth: Auth) => Promise<void>, accepted: (auth: Auth) => void): Promise<boolean> {
    const outcomes = [...this.#waiting].map(async (introduction) => {
      const { auth, settle, sent } = introduction;
      if (sent) return true;
      introduction.sent = true;
      try {
        await authenticate(auth);
      } catch (error) {
        introduction.sent = false;
        if (!(error instanceof AuthFailedError)) return false;
        this.#waiting.delete(introduction);
        settle.reject(error);
        return false;
      }
      this.#waiting.delete(introduction);
      accepted(auth);
      settle.resolve();
      return true;
    });
    return (await Promise.all(outcomes)).every(Boolean);
  }

  /** The session is over. */
  end(error: Error): void {
    for (const { settle } of this.#waiting) settle.reject(error);
    this.#waiting.clear();
  }
}
