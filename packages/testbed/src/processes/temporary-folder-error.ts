import { tmpdir } from 'node:os';
import { QuorateError } from '@quorate/core';

/** A bed has no place for its data. */
export class TemporaryFolderError extends QuorateError {
  constructor(cause: NodeJS.ErrnoException) {
    super(
      `the folder for temporary files, ${tmpdir()}, cannot be used (${cause.code}). Set TMPDIR to a folder that can.`,
      { code: 'temporary-folder', cause },
    );
  }
}
