import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CacheError, cacheFolder, makeCacheFolder } from '@quorate/testbed';
import { amend, type Claim, claim, holder, release } from '../claim.js';

/** What the process that holds a bed leaves on disk, by the bed's name: at most one living process has the name. */
export interface BedRecord {
  readonly name: string;
  readonly since: string;
  /** Absent while the servers start. */
  readonly up?: {
    /** The servers' data; gone when they are. */
    readonly folder: string;
    readonly servers: readonly string[];
    /** Where the process can be asked. */
    readonly socket: string;
  };
}

const folder = (): string => join(cacheFolder(), 'beds');
const file = (name: string): string => join(folder(), `${name}.json`);

/** Takes the name for this process. Another process that has it is returned, and keeps it. */
export async function claimName(name: string): Promise<Claim<BedRecord> | undefined> {
  await makeCacheFolder('beds');
  try {
    return claim<BedRecord>(file(name), { name, since: new Date().toISOString() });
  } catch (error) {
    throw new CacheError(cacheFolder(), error as NodeJS.ErrnoException);
  }
}

export function recordUp(record: BedRecord): void {
  amend(file(record.name), record);
}

export function releaseName(name: string): void {
  release(file(name));
}

/** The record of a bed whose process lives. */
export function readRecord(name: string): Claim<BedRecord> | undefined {
  try {
    return holder<BedRecord>(file(name));
  } catch (error) {
    throw new CacheError(cacheFolder(), error as NodeJS.ErrnoException);
  }
}

export async function records(): Promise<Claim<BedRecord>[]> {
  const files = await readdir(folder()).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new CacheError(cacheFolder(), error);
  });
  const names = files.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length));
  return names.sort().flatMap((name) => readRecord(name) ?? []);
}
