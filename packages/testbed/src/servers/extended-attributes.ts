import { join } from 'node:path';
import { CommandFailedError, run } from '../processes/run.ts';
import type { Launcher } from '../processes/warden.ts';

/** The gateway's own words when its folder is on a file system without them. */
const without = 'xattr check failed';

interface Question {
  readonly versitygw: string;
  /** Where the gateway is to keep its objects. */
  readonly objects: string;
  readonly launcher: Launcher;
  readonly signal: AbortSignal;
}

/**
 * Whether files in a folder can have extended attributes. Node cannot set one, so the gateway is asked, which looks before
 * anything else. It is told to keep versions inside its objects, which it refuses: it ends either way, after milliseconds.
 */
export async function hasExtendedAttributes({ versitygw, objects, launcher, signal }: Question): Promise<boolean> {
  try {
    const args = ['posix', '--versioning-dir', join(objects, '.keep'), objects];
    await run(launcher, { command: versitygw, args, cwd: objects, signal });
  } catch (error) {
    if (!(error instanceof CommandFailedError)) throw error;
    return !error.message.includes(without);
  }
  return true;
}
