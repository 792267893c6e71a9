import { createHash, randomBytes } from 'node:crypto';
import { realpath, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from '../processes/run.ts';
import { Cache } from '../programs/cache.ts';
import type { Program } from '../programs/program.ts';
import { unprivileged } from './unprivileged.ts';

/** The folder of a PostgreSQL that has never run, made once for each program: copying it is faster than making it. */
export async function emptyCluster(program: Program, signal: AbortSignal): Promise<string> {
  const path = await realpath(program.path);
  const id = createHash('sha256').update(path).digest('hex').slice(0, 8);
  const name = `postgres-template-${program.version}-${id}`;
  const made = await new Cache().install(
    name,
    async (staging, warden) => {
      // Nobody knows this one, and each bed sets its own.
      await writeFile(join(staging, 'password'), randomBytes(18).toString('base64url'), { mode: 0o600 });
      await run(warden, {
        ...unprivileged(join(dirname(path), 'initdb'), [
          ...['-D', 'data', '--username=postgres', '--auth=scram-sha-256', '--pwfile=password'],
          ...['--locale=C', '--encoding=UTF8', '--no-sync', '--no-instructions'],
        ]),
        cwd: staging,
        signal,
      });
      await rm(join(staging, 'password'));
      return { ...program, name, path: 'data' };
    },
    { signal },
  );
  return made.path;
}
