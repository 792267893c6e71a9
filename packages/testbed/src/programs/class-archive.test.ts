import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Cache } from './cache.ts';
import { classArchive } from './class-archive.ts';
import type { Program } from './program.ts';

let folder: string;
let cache: Cache;
let loads: number;

const java: Program = { name: 'java', version: '17', source: 'path', path: '/usr/bin/java' };
let jars: Program;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'quorate-test-')));
  cache = new Cache(join(folder, 'cache'));
  jars = { name: 'gadget', version: '1.2.3', source: 'maven', path: join(folder, 'jars') };
  await mkdir(jars.path);
  loads = 0;
});
afterEach(() => rm(folder, { recursive: true }));

/** As a Java machine that is told to leave an archive. */
async function load(options: readonly string[]): Promise<void> {
  loads += 1;
  const [, archive = ''] = /-XX:ArchiveClassesAtExit=(.+)$/m.exec(options.join('\n')) ?? [];
  await writeFile(archive, 'classes');
}

test('is made once, whoever asks at the same time', async () => {
  const both = await Promise.all([1, 2].map(() => classArchive(cache, java, jars, load)));
  const later = await classArchive(cache, java, jars, load);
  expect(new Set([...both, later]).size).toBe(1);
  expect(later).toMatch(/\/cache\/programs\/gadget-classes-[0-9a-f]{12}\/classes\.jsa$/);
  expect(loads).toBe(1);
});

test('is another one for another Java, and for other jars', async () => {
  const first = await classArchive(cache, java, jars, load);
  const others = [
    await classArchive(cache, { ...java, version: '21' }, jars, load),
    await classArchive(cache, { ...java, path: '/opt/java' }, jars, load),
    await classArchive(cache, java, { ...jars, version: '1.2.4' }, load),
  ];
  expect(new Set([first, ...others]).size).toBe(4);
});

test('is not there where Java makes none, and nobody asks it again', async () => {
  const none = async (): Promise<void> => {
    loads += 1;
  };
  expect(await classArchive(cache, java, jars, none)).toBeUndefined();
  expect(await classArchive(cache, java, jars, none)).toBeUndefined();
  expect(loads).toBe(1);
});

test('half of one, of a server that did not end well, is not taken, and the next one makes it', async () => {
  const failing = async (options: readonly string[]): Promise<void> => {
    await load(options);
    throw new Error('killed');
  };
  expect(await classArchive(cache, java, jars, failing)).toBeUndefined();
  expect(await classArchive(cache, java, jars, load)).toBeDefined();
  expect(loads).toBe(2);
});

test('who gives up waiting for it says why, and the next one makes it', async () => {
  const stop = new AbortController();
  const stopped = async (jvm: readonly string[]): Promise<void> => {
    await load(jvm);
    stop.abort(new Error('enough'));
    throw new Error('killed');
  };
  await expect(classArchive(cache, java, jars, stopped, stop.signal)).rejects.toThrow('enough');
  expect(await classArchive(cache, java, jars, load)).toBeDefined();
  expect(loads).toBe(2);
});

test('is done without where the cache cannot be used, or the jars are reached by a symbolic link', async () => {
  expect(await classArchive(new Cache('/dev/null/x'), java, jars, load)).toBeUndefined();
  const path = join(folder, 'by the way');
  await symlink(jars.path, path);
  expect(await classArchive(cache, java, { ...jars, path }, load)).toBeUndefined();
  expect(loads).toBe(0);
});
