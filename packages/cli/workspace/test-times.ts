import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileBudget, fileBudgets, packageBudgets } from './budgets.ts';
import { root } from './command.ts';
import type { FileTime } from './test-report.ts';

/** Seconds that each test file took when it last ran on this machine. */
export type TestTimes = Readonly<Record<string, number>>;

const timesFile = join(root, 'node_modules/.cache/quorate/test-times.json');

/** What was measured here before; nothing on a fresh clone, or where the file cannot be understood. */
export async function knownTimes(file: string = timesFile): Promise<TestTimes> {
  const text = await readFile(file, 'utf8').catch(() => '{}');
  return Object.fromEntries(Object.entries(timesIn(text)).filter(([name]) => existsSync(join(root, name))));
}

function timesIn(text: string): TestTimes {
  try {
    const times: unknown = JSON.parse(text);
    return typeof times === 'object' && times !== null ? (times as TestTimes) : {};
  } catch {
    return {};
  }
}

/** Only of files that ran as a whole: a part of a file says nothing about its budget. */
export async function rememberTimes(files: readonly FileTime[], file: string = timesFile): Promise<void> {
  const whole = files.filter(({ isPart }) => !isPart);
  const now = Object.fromEntries(whole.map(({ file, seconds }) => [file, seconds]));
  await mkdir(dirname(file), { recursive: true });
  // In one step: whoever is killed here leaves the old times or the new ones.
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify({ ...(await knownTimes(file)), ...now }));
  await rename(draft, file);
}

/** A line for each file that took longer than it may. */
export function overBudget(times: TestTimes): string[] {
  return Object.entries(times).flatMap(([file, seconds]) => {
    const budget = fileBudgets[file]?.seconds ?? fileBudget;
    return seconds > budget ? [`${file} took ${seconds.toFixed(1)} s; its budget is ${budget} s`] : [];
  });
}

/** What each package took beside its budget, then the ten slowest files. */
export function timesText(files: readonly FileTime[]): string {
  const packages = Map.groupBy(files, ({ file }) => file.split('/').slice(0, 2).join('/'));
  const rows = [...packages]
    .map(([name, ofPackage]) => ({ name, seconds: ofPackage.reduce((sum, { seconds }) => sum + seconds, 0) }))
    .toSorted((a, b) => b.seconds - a.seconds)
    .map(({ name, seconds }) => {
      const budget = packageBudgets[name];
      const over = budget !== undefined && seconds > budget ? '  over its budget' : '';
      return `${number(seconds)} of ${budget === undefined ? 'no budget' : `${budget} s`.padStart(5)}  ${name}${over}`;
    });
  const slowest = files
    .toSorted((a, b) => b.seconds - a.seconds)
    .slice(0, 10)
    .map(({ file, seconds }) => `${number(seconds)}  ${file}`);
  return ['Time of the tests, in seconds of one lane:', ...rows, '', 'The slowest files:', ...slowest].join('\n');
}

function number(seconds: number): string {
  return seconds.toFixed(1).padStart(7);
}
