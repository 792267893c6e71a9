/** The codes with which servers refuse, as the protocol has them. */
export const code = {
  badArguments: -8,
  noNode: -101,
  noAuth: -102,
  badVersion: -103,
  noChildrenForEphemerals: -108,
  nodeExists: -110,
  notEmpty: -111,
  invalidAcl: -114,
  noWatcher: -121,
  quotaExceeded: -125,
} as const;

/** A request is refused. The client makes the error out of its code that it makes out of a server's. */
export class Refused extends Error {
  readonly code: number;

  constructor(refusal: keyof typeof code) {
    super(refusal);
    this.code = code[refusal];
  }
}
