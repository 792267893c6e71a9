import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { Testbed } from '@quorate/testbed';
import { expect, onTestFinished, test, vi } from 'vitest';
import { checkTemporaryFolder, listenForQuestions, socketIn } from './bed-control.ts';

test('in the longest TMPDIR that is not refused, relative or not, a bed can be asked', async () => {
  const base = await mkdtemp(resolve(tmpdir(), 'q-'));
  onTestFinished(() => rm(base, { recursive: true }));
  const accepted = (folder: string): boolean => {
    try {
      checkTemporaryFolder(folder);
      return true;
    } catch (error) {
      expect(error).toMatchObject({ code: 'invalid-argument', argument: 'TMPDIR' });
      return false;
    }
  };
  let longest = join(base, 'x');
  while (accepted(`${longest}x`)) longest += 'x';
  expect(accepted(relative(process.cwd(), longest))).toBe(true);
  expect(accepted(relative(process.cwd(), `${longest}x`))).toBe(false);
  await mkdir(longest);
  vi.stubEnv('TMPDIR', longest);
  await using bed = await Testbed.start();
  vi.unstubAllEnvs();
  const server = await listenForQuestions(socketIn(bed.folder), async () => undefined);
  await new Promise((closed) => server.close(closed));
});
