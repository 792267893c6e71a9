import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Cache } from './cache.ts';
import { lock, type ProgramPin, type SourceName, sourcesOn } from './lock.ts';
import type { Program } from './program.ts';
import { cacheName, Programs } from './programs.ts';

/** One program that servers are made of: here, missing, or here but not to be used. */
export interface InventoryItem {
  readonly name: string;
  /** The version that would be fetched. */
  readonly pinned: string;
  readonly state: 'here' | 'missing' | 'unusable';
  /** What will be used; absent when nothing is. */
  readonly program?: Program;
  /** Why it is unusable. */
  readonly why?: string;
  /** What it takes on disk, where it is ours. */
  readonly bytes?: number;
  /** Where it can be fetched from on this platform, in the order in which it is tried; empty when nowhere. */
  readonly sources: readonly SourceName[];
  /** How a person installs it. */
  readonly byHand: string;
  /** Whether servers need it, or only what fetches them; what is fetched only when a bed asks for it is `on demand`. */
  readonly purpose: 'server' | 'tool' | 'on demand';
}

export interface Inventory {
  readonly cache: string;
  readonly items: readonly InventoryItem[];
}

const tools = ['maven', 'go'];

/** What is here and what is missing. Nothing is fetched. */
export async function inventory(cache: Cache = new Cache()): Promise<Inventory> {
  const programs = new Programs({ cache, offline: true });
  const items = await Promise.all(
    Object.entries(lock()).map(async ([name, pin]): Promise<InventoryItem> => {
      const item = {
        name,
        pinned: pin.version,
        sources: sourcesOn(pin),
        byHand: process.platform === 'darwin' ? pin.byHand.macos : pin.byHand.debian,
        purpose: purposeOf(name, pin),
      } as const;
      try {
        const program = await programs.find(name);
        if (!program) return { ...item, state: 'missing' };
        const ours = program.path.startsWith(cache.folder);
        return {
          ...item,
          state: 'here',
          program,
          ...(ours && { bytes: await sizeOf(cache.folderOf(cacheName(name, pin))) }),
        };
      } catch (error) {
        return { ...item, state: 'unusable', why: (error as Error).message };
      }
    }),
  );
  return { cache: cache.folder, items };
}

function purposeOf(name: string, { onDemand, instead }: ProgramPin): InventoryItem['purpose'] {
  if (tools.includes(name)) return 'tool';
  return onDemand || instead ? 'on demand' : 'server';
}

async function sizeOf(folder: string): Promise<number> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = files
    .filter((file) => file.isFile())
    .map(async (file) => (await stat(join(file.parentPath, file.name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
