import { readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/**
 * A class path of all the jars in some folders, such as that of the ZooKeeper program: one by one, because the compiler
 * does not know what `*` means, and without logback, which would log on standard output.
 */
export async function classPathOf(...folders: readonly string[]): Promise<string> {
  const found = folders.map(async (folder) => {
    const names = await readdir(folder);
    return names.filter((jar) => !jar.startsWith('logback-')).map((jar) => join(folder, jar));
  });
  return (await Promise.all(found)).flat().join(delimiter);
}
