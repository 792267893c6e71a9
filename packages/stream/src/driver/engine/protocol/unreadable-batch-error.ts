/** A batch of which only its header can be read, however often it is fetched: of an old format, or compressed in some other way. */
export class UnreadableBatchError extends Error {
  constructor(what: string) {
    super(`unreadable batch: ${what}`);
    this.name = 'UnreadableBatchError';
  }
}
