import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, realpath, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, test, vi } from 'vitest';
import { Programs, type Server, Testbed } from '../src/index.ts';
import { cacheFolder } from '../src/programs/cache.ts';
import { scratch } from './archives.ts';

afterEach(() => vi.unstubAllEnvs());

const java = /openjdk version "(\d+)/.exec(
  await promisify(execFile)((await new Programs({ offline: true }).get('java')).path, ['-version']).then(
    ({ stderr }) => stderr,
    () => '',
  ),
)?.[1];

/** The archive that it was started with. */
async function archiveOf({ pid }: Server): Promise<string | undefined> {
  const { stdout } = await promisify(execFile)('ps', ['-ww', '-o', 'args=', '-p', String(pid)]);
  return /-XX:SharedArchiveFile=(\S+)/.exec(stdout)?.[1];
}

test.skipIf(Number(java ?? 0) < 17)(
  'a Java server starts from the classes that one has loaded before it; a broken archive stops nobody',
  async () => {
    await using place = await scratch();
    const programs = join(await realpath(place.folder), 'programs');
    await mkdir(programs);
    // A copy of its jars, for which there is no archive yet.
    for (const name of await readdir(join(cacheFolder(), 'programs'))) {
      const from = join(cacheFolder(), 'programs', name);
      if (name.includes('-classes-')) continue;
      if (/^zookeeper-3\.9\.4-/.test(name)) await cp(from, join(programs, name), { recursive: true });
      else await symlink(from, join(programs, name));
    }
    vi.stubEnv('QUORATE_CACHE', await realpath(place.folder));
    const start = () => Testbed.start({ zookeeper: 1 }, { offline: true });
    let made: string;
    {
      await using bed = await start();
      made = (await archiveOf(bed.zookeeper.member(1))) ?? 'none';
      expect(made).toMatch(new RegExp(`^${programs}/zookeeper-classes-[0-9a-f]{12}/classes.jsa$`));
      if (process.platform === 'linux') {
        // It is in use, not only named.
        expect(await readFile(`/proc/${bed.zookeeper.member(1).pid}/maps`, 'utf8')).toContain(made);
      }
      const { mtimeMs } = await stat(made);
      await using another = await start();
      expect(await archiveOf(another.zookeeper.member(1))).toBe(made);
      expect((await stat(made)).mtimeMs).toBe(mtimeMs);
    }
    await writeFile(made, 'not an archive');
    await using bed = await start();
    expect(await bed.health()).toMatchObject({ status: 'pass' });
  },
);
