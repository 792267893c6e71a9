import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { scratch } from './archives.ts';

const testbed = new URL('../src/index.ts', import.meta.url).href;

test('a file system without extended attributes is noticed, and its fault is told', async ({ skip }) => {
  if (process.platform !== 'linux') skip('takes a file system that only Linux has');
  await using place = await scratch();
  const program = `
    import { Testbed } from ${JSON.stringify(testbed)};
    process.on('warning', ({ code, message }) => console.log(code + ' ' + message));
    await using bed = await Testbed.start({ s3: ['us-east-1'] });
    console.log(bed.s3.region('us-east-1').sidecar, (await bed.health()).status);
  `;
  const script = 'mount -t ramfs none "$1" && shift && exec "$@"';
  const node = [process.execPath, '--conditions=@quorate/source', '--input-type=module', '-e', program];
  const run = promisify(execFile)('unshare', ['-Urm', '/bin/sh', '-c', script, 'sh', place.folder, ...node], {
    env: { ...process.env, TMPDIR: place.folder },
  });
  const result = await run.catch((error: Error & { stderr: string }) => error);
  if (result instanceof Error) {
    if (/unshare|mount/.test(result.stderr || result.message))
      skip('no file system can be mounted without rights here');
    throw result;
  }
  expect(result.stdout).toContain('QUORATE_S3_SIDECAR s3-us-east-1: the file system of ');
  expect(result.stdout).toContain('an object that is put again after a delete answers 404. Set TMPDIR');
  expect(result.stdout).toContain('true pass');
});
