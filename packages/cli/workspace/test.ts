// npm test: the static checks, then every test. With arguments only the tests they name: npm test -- packages/core, or
// npm test -- --changed for those that import what was changed since the last commit. What tests only start, or read, is named.
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '@quorate/testbed';
import { fetchMissing } from '../src/fetch-missing.ts';
import { Interrupted, interruptible } from '../src/interrupt.ts';
import { command } from './command.ts';
import { leftBehind } from './left-behind.ts';
import { runStaticChecks } from './static-checks.ts';
import { lastLine, sum, type Tally } from './tally.ts';
import { reportVariable, type TestReport } from './test-report.ts';
import { rememberTimes, timesText } from './test-times.ts';
import { unimportedChanges } from './unimported.ts';

const filters = process.argv.slice(2);
// Unless they are asked for (npm run test:spark, npm run test:soak), these are left out: a large download, a long wait.
const apart = ['spark', 'soak'];
const projects = filters.some((filter) => filter.startsWith('--project'))
  ? []
  : apart.map((name) => `--project=!${name}`);
const sparkAlone = filters.includes('--project=spark');
using stop = interruptible();
const { signal } = stop;
try {
  const total = sum(await run());
  console.log(lastLine(total));
  process.exitCode = total.failed > 0 ? 1 : 0;
} catch (error) {
  if (!(error instanceof Interrupted)) throw error;
  process.exitCode = error.exitStatus;
}

async function run(): Promise<Tally[]> {
  const tallies: Tally[] = [];
  if (filters.length === 0) tallies.push(await runStaticChecks(signal));
  // Vitest sets up the shared bed with what is built, not with the sources; the checks have built it as well.
  else await command('tsc', ['-b'], { show: true, signal });
  signal.throwIfAborted();
  if (await needsServers(filters)) await fetchPrograms();
  tallies.push(await runTests([...filters, ...projects]));
  return tallies;
}

/** Unit tests start no servers: whoever asks for them alone does not wait for programs. */
async function needsServers(args: readonly string[]): Promise<boolean> {
  if (args.length === 0) return true;
  const { output } = await command('vitest', ['list', '--filesOnly', ...args, ...projects, '--json'], { signal });
  signal.throwIfAborted();
  try {
    return (JSON.parse(output) as { projectName: string }[]).some(({ projectName }) => projectName !== 'unit');
  } catch {
    return true;
  }
}

/** Before the tests, so that none of them spends its time on it; what cannot be had fails the tests that need it. */
async function fetchPrograms(): Promise<void> {
  const names = sparkAlone ? ['java', 'spark'] : undefined;
  for (const { message } of await fetchMissing(signal, process.stderr, names)) console.error(message);
  signal.throwIfAborted();
}

async function runTests(args: readonly string[]): Promise<Tally> {
  const place = await mkdtemp(join(tmpdir(), 'quorate-'));
  // Programs of tests that were stopped may write a moment longer.
  await using _ = { [Symbol.asyncDispose]: () => rm(place, { recursive: true, force: true, maxRetries: 20 }) };
  const [report, temporary] = [join(place, 'report.json'), join(place, 'tmp')];
  await mkdir(temporary);
  const reporter = fileURLToPath(new URL('test-report.ts', import.meta.url));
  const { status } = await command('vitest', ['run', '--reporter=default', `--reporter=${reporter}`, ...args], {
    show: true,
    env: { [reportVariable]: report, TMPDIR: temporary },
    signal,
  });
  if (signal.aborted) await nothingLeft(temporary);
  signal.throwIfAborted();
  const given = JSON.parse(await readFile(report, 'utf8').catch(() => '{}')) as Partial<TestReport>;
  const { passed = 0, failed = 0, skipped = 0, errors = 0, files = [] } = given;
  await nameUnimported();
  // A filter may name a line of a file as well.
  if (!filters.some((filter) => /:\d+$/.test(filter))) await rememberTimes(files);
  console.log(`${timesText(files)}\n`);
  // What a filter of names leaves out counts as skipped too.
  const left = files.some(({ isPart }) => isPart) ? 0 : skipped;
  if (passed + failed + errors + left === 0) return nothingRan(skipped);
  // Vitest itself may fail without a failed test.
  const tests = { passed, failed: status === 0 ? failed : Math.max(1, failed + errors), skipped };
  return sum([tests, await nothingLeft(temporary)]);
}

/** A change that no test imports is no reason for `--changed` to run a test: better said than believed to be tested. */
async function nameUnimported(): Promise<void> {
  const changed = filters.find((filter) => filter.startsWith('--changed'));
  if (changed === undefined) return;
  const files = await unimportedChanges(changed.split('=')[1]);
  if (files.length === 0) return;
  console.log('No test imports these changed files. Tests that start or read them run only when you name them:');
  for (const file of files) console.log(`  ${file}`);
  console.log();
}

/** A filter that nothing matches is a mistake, not a success; that nothing has changed is none. */
function nothingRan(skipped: number): Tally {
  if (filters.some((filter) => filter.startsWith('--changed'))) {
    console.log('No test ran: none imports what was changed.');
    return { passed: 0, failed: 0, skipped };
  }
  const name = apart.find((each) => filters.some((filter) => filter.includes(each) && filter !== `--project=${each}`));
  console.log(`✗ no test matches ${filters.join(' ')}${name ? `; it runs with npm run test:${name}` : ''}`);
  return { passed: 0, failed: 1, skipped };
}

/** The last test of all: whatever the others started and wrote is gone. */
async function nothingLeft(folder: string): Promise<Tally> {
  const clean = async (): Promise<boolean> => (await leftBehind(folder)).length === 0;
  // Whoever was killed is cleaned up after, a moment later.
  const passed = await eventually('nothing is left', clean, { within: 15_000 }).catch(() => false);
  console.log(`${passed ? '✓' : '✗'} no file and no process is left behind`);
  if (passed) return { passed: 1, failed: 0, skipped: 0 };
  for (const left of (await leftBehind(folder)).slice(0, 50)) console.log(`  ${left}`);
  return { passed: 0, failed: 1, skipped: 0 };
}
