import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

/**
 * What programs that were started with `folder` as their TMPDIR have left: files in it, and, where /proc shows it,
 * processes that still run with it. Nobody sees a process that has cleared its environment, nor a file elsewhere.
 */
export async function leftBehind(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.map(({ parentPath, name }) => `file ${relative(folder, join(parentPath, name))}`);
  return [...files, ...(await processes(folder))];
}

async function processes(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid)) continue;
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (!environment.split('\0').some((variable) => variable.startsWith(`TMPDIR=${folder}`))) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    found.push(`process ${pid}: ${command.replaceAll('\0', ' ').trim().slice(0, 200)}`);
  }
  return found;
}
