import { QuorateError } from '@quorate/core';

/** A server cannot have a disk of its own on this machine. */
export class NoDiskError extends QuorateError {
  constructor(server: string, why: string) {
    super(
      `${server} cannot have a disk of its own here: ${why}. It needs Linux with user namespaces that unprivileged users may create ` +
        '("unshare -Urm true" succeeds); leave out the option "disk" to start without one.',
      { code: 'no-disk' },
    );
  }
}
