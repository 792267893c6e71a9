// npm test: the static checks, then every test. With arguments (npm test -- packages/core) only the tests they name.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchMissing } from '../src/fetch-missing.ts';
import { interruptible } from '../src/interrupt.ts';
import { command } from './command.ts';
import { runStaticChecks } from './static-checks.ts';
import { lastLine, sum, type Tally } from './tally.ts';

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
}

const filters = process.argv.slice(2);
const tallies: Tally[] = [];
if (filters.length === 0) tallies.push(await runStaticChecks());
// Vitest sets up the shared bed with what is built, not with the sources; the checks have built it as well.
else await command('tsc', ['-b'], { show: true });
await fetchPrograms();
tallies.push(await runTests(filters));
const total = sum(tallies);
console.log(lastLine(total));
process.exitCode = total.failed > 0 ? 1 : 0;

/** Before the tests, so that none of them spends its time on it; what cannot be had fails the tests that need it. */
async function fetchPrograms(): Promise<void> {
  using stop = interruptible();
  for (const { message } of await fetchMissing(stop.signal, process.stderr)) console.error(message);
}

async function runTests(args: readonly string[]): Promise<Tally> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-report-'));
  const report = join(folder, 'report.json');
  try {
    const { status } = await command(
      'vitest',
      ['run', '--reporter=default', '--reporter=json', `--outputFile=${report}`, ...args],
      { show: true },
    );
    const counts = JSON.parse(await readFile(report, 'utf8').catch(() => '{}')) as Partial<VitestReport>;
    const { numPassedTests: passed = 0, numFailedTests = 0, numPendingTests = 0, numTodoTests = 0 } = counts;
    // A file that cannot be loaded, or an error outside of any test, fails the run without a failed test.
    const failed = status === 0 ? numFailedTests : Math.max(1, numFailedTests);
    return { passed, failed, skipped: numPendingTests + numTodoTests };
  } finally {
    await rm(folder, { recursive: true });
  }
}
