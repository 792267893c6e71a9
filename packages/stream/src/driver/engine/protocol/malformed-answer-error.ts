/** What a broker has sent cannot be read: it is cut short, or says what cannot be. */
export class MalformedAnswerError extends Error {
  constructor(what: string) {
    super(`malformed answer: ${what}`);
    this.name = 'MalformedAnswerError';
  }
}
