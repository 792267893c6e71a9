import { QuorateError } from '@quorate/core';

/** A server cannot have a disk of its own on this machine. */
export class NoDiskError extends QuorateError {
  constructor(server: string, why: string) {
    super(
      `${server} cannot have a disk of its own here: ${why}. It takes Linux with user namespaces that everybody may make ` +
        '("unshare -Urm true" succeeds); leave the option "disk" out to do without.',
      { code: 'no-disk' },
    );
  }
}
