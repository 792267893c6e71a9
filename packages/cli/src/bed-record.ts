import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '@quorate/testbed';

/** Where the process that holds a bed can be asked: kept on disk, by the bed's name. */
export interface BedRecord {
  readonly name: string;
  readonly pid: number;
  readonly socket: string;
  readonly since: string;
}

const folder = (): string => join(cacheFolder(), 'beds');
const file = (name: string): string => join(folder(), `${name}.json`);

export async function writeRecord(record: BedRecord): Promise<void> {
  await mkdir(folder(), { recursive: true, mode: 0o700 });
  await writeFile(file(record.name), JSON.stringify(record), { mode: 0o600 });
}

export async function readRecord(name: string): Promise<BedRecord | undefined> {
  const text = await readFile(file(name), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as BedRecord);
}

export async function removeRecord(name: string): Promise<void> {
  await rm(file(name), { force: true });
}

export async function recordedNames(): Promise<string[]> {
  const files = await readdir(folder()).catch(() => []);
  return files.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length));
}
