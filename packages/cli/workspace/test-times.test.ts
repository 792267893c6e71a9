import { link, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { knownTimes, overBudget, rememberTimes, timesText } from './test-times.ts';

const storm = 'packages/coordination/test/storm.test.ts';
const self = 'packages/cli/workspace/test-times.test.ts';

test('a file over its budget is named with both figures, one within it is not', () => {
  expect(overBudget({ [self]: 30.1, 'packages/cli/workspace/tally.test.ts': 29.9 })).toEqual([
    `${self} took 30.1 s; its budget is 30 s`,
  ]);
});

test('a file with a budget of its own may take longer than others', () => {
  expect(overBudget({ [storm]: 60 })).toEqual([]);
  expect(overBudget({ [storm]: 1_000 })).toHaveLength(1);
});

test('times are kept from run to run, until their file is gone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'cache', 'times.json');
  expect(await knownTimes(file)).toEqual({});
  await rememberTimes([{ file: storm, seconds: 50 }], file);
  await rememberTimes(
    [
      { file: self, seconds: 1 },
      { file: 'packages/gone/src/a.test.ts', seconds: 2 },
    ],
    file,
  );
  expect(await knownTimes(file)).toEqual({ [storm]: 50, [self]: 1 });
});

test('times that cannot be understood are measured anew, and those of a part of a file are not kept', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'times.json');
  for (const text of ['{"a', 'null', '7']) {
    await writeFile(file, text);
    expect(await knownTimes(file)).toEqual({});
  }
  const linked = join(folder, 'linked.json');
  await link(file, linked);
  await rememberTimes(
    [
      { file: self, seconds: 1 },
      { file: storm, seconds: 1, isPart: true },
    ],
    file,
  );
  expect(await knownTimes(file)).toEqual({ [self]: 1 });
  // Replaced, not written in place.
  expect(await readFile(linked, 'utf8')).toBe('7');
  expect((await readdir(folder)).sort()).toEqual(['linked.json', 'times.json']);
});

test('the text sums up each package beside its budget and lists the ten slowest files', () => {
  const files = Array.from({ length: 12 }, (_, index) => ({
    file: `packages/core/src/${index}.test.ts`,
    seconds: index,
  }));
  const text = timesText([...files, { file: 'examples/concepts/test/a.test.ts', seconds: 2 }]);
  expect(text).toMatch(/ 66\.0 of +\d+ s {2}packages\/core {2}over its budget/);
  expect(text).toMatch(/ 2\.0 of +\d+ s {2}examples\/concepts\n/);
  expect(text.split('The slowest files:\n')[1]?.split('\n')).toHaveLength(10);
  expect(text).toContain(' 11.0  packages/core/src/11.test.ts');
});
