import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder, and those above it, unless they are there. Node's own `recursive` never ends, nor hears a signal, where a
 * folder that is there refuses another one as if it were missing itself, as /proc does (seen with Node 26.10).
 */
export async function makeFolder(folder: string, mode?: number): Promise<void> {
  const make = (): Promise<void> => mkdir(folder, { ...(mode !== undefined && { mode }) });
  try {
    await make().catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT' || dirname(folder) === folder) throw error;
      await makeFolder(dirname(folder), mode);
      await make();
    });
  } catch (error) {
    const isThere = await stat(folder).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (!isThere) throw error;
  }
}
