import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { LogFile } from './log-file.ts';

async function path(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, 'log');
}

test('the last lines of a log that is larger than what is read at a time, each once, and then what is added', async () => {
  const file = await path();
  const numbered = Array.from({ length: 30_000 }, (_, number) => `line ${number}`);
  await writeFile(file, `${numbered.join('\n')}\n`);
  const log = new LogFile(file);
  expect(await log.last(20_000)).toEqual(numbered.slice(-20_000));
  expect(await log.more()).toEqual([]);
  await appendFile(file, 'a\nb');
  expect(await log.more()).toEqual(['a']);
  await appendFile(file, 'c\n');
  expect(await log.more()).toEqual(['bc']);
  expect(await new LogFile(file).last(50_000)).toHaveLength(30_002);
  expect(await new LogFile(file).last(0)).toEqual([]);
});

test('a character is not torn where the reading stops', async () => {
  const file = await path();
  await writeFile(file, Buffer.from([0xc3]));
  const log = new LogFile(file);
  expect(await log.last(5)).toEqual([]);
  await appendFile(file, Buffer.from([0xa9, 0x0a]));
  expect(await log.more()).toEqual(['é']);
});

test('a log that is not there yet, or begins anew', async () => {
  const file = await path();
  const log = new LogFile(file);
  expect(await log.last(5)).toEqual([]);
  await writeFile(file, 'one\ntwo\n');
  expect(await log.more()).toEqual(['one', 'two']);
  await writeFile(file, 'new\n');
  expect(await log.more()).toEqual(['new']);
});

test('a last line that was never finished counts as a line, and is given once it has stood still', async () => {
  const file = await path();
  await writeFile(file, 'one\ntwo\npanic: last');
  expect(await new LogFile(file).last(2)).toEqual(['two']);
  expect(await new LogFile(file).last(0)).toEqual([]);
  const log = new LogFile(file);
  expect(await log.last(1)).toEqual([]);
  expect(log.unfinished(60_000)).toEqual([]);
  await appendFile(file, ' words');
  expect(await log.more()).toEqual([]);
  expect(log.unfinished()).toEqual(['panic: last words']);
  expect(log.unfinished()).toEqual([]);
  await appendFile(file, '!\nthree\n');
  expect(await log.more()).toEqual(['!', 'three']);
});
