import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { EnvoyMissingError } from '../errors/envoy-missing-error.ts';

export interface EnvoyProgram {
  readonly path: string;
  readonly version: string;
}

/** The Envoy that was named, else that of `QUORATE_ENVOY`, else the one on PATH. */
export async function findEnvoy(named: string | undefined, signal?: AbortSignal): Promise<EnvoyProgram> {
  const path = named ?? process.env.QUORATE_ENVOY ?? (await onPath());
  if (path === undefined) throw new EnvoyMissingError('none is named, and none is on PATH');
  let printed: string;
  try {
    const options = { timeout: 10_000, maxBuffer: 64 * 1024, signal };
    printed = (await promisify(execFile)(path, ['--version'], options)).stdout;
  } catch (error) {
    signal?.throwIfAborted();
    throw new EnvoyMissingError(`${path} cannot be run`, error);
  }
  const [, version] = /version: [0-9a-f]+\/(\d+\.\d+\.\d+)/.exec(printed) ?? [];
  if (version === undefined) throw new EnvoyMissingError(`${path} does not print the version of an Envoy`);
  return { path, version };
}

async function onPath(): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, 'envoy');
    const runs = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (folder !== '' && runs) return path;
  }
  return undefined;
}
