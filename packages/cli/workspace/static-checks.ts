import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { command, root } from './command.ts';
import type { Tally } from './tally.ts';
import { knownTimes, overBudget } from './test-times.ts';

interface Check {
  readonly what: string;
  readonly run: readonly [string, ...string[]];
}

const published = readdirSync(join(root, 'packages')).filter((name) => name !== 'bench');

/** The command has no types: nothing imports it. */
const libraries = published.filter((name) => name !== 'cli');

/** First, by itself: others look at what it has built. */
const build: Check = { what: 'types of the packages', run: ['tsc', '-b'] };

const checks: readonly Check[] = [
  { what: 'format and lint', run: ['biome', 'ci', '--colors=off', '.'] },
  { what: 'types of the tests', run: ['tsc', '-p', 'tsconfig.tests.json'] },
  { what: 'nothing unused', run: ['knip', '--no-progress'] },
  ...libraries.map(
    (name): Check => ({
      what: `types of ${name} reach who imports it`,
      // The testbed's entry for this repository alone has no types for anybody else.
      run: ['attw', '--profile=esm-only', '--pack', `packages/${name}`, '--exclude-entrypoints', './peers'],
    }),
  ),
  ...published.map(
    (name): Check => ({ what: `${name} can be published`, run: ['publint', '--strict', `packages/${name}`] }),
  ),
];

/** Runs every static check, two at a time, says how each went, and shows what those that failed have to say. */
export async function runStaticChecks(signal?: AbortSignal): Promise<Tally> {
  const left = [...checks];
  const results = [await run(build, signal)];
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) results.push(await run(next, signal));
  };
  await Promise.all([lane(), lane()]);
  results.push(await withinBudgets());
  const passed = results.filter((well) => well).length;
  return { passed, failed: results.length - passed, skipped: 0 };
}

async function run({ what, run }: Check, signal?: AbortSignal): Promise<boolean> {
  const begin = performance.now();
  const [name, ...args] = run;
  const { status, output } = await command(name, args, signal && { signal });
  signal?.throwIfAborted();
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  console.log(`${status === 0 ? '✓' : '✗'} ${what} (${seconds} s)`);
  if (status !== 0) console.log(`${output.trimEnd()}\nThat was: ${run.join(' ')}\n`);
  return status === 0;
}

async function withinBudgets(): Promise<boolean> {
  const slow = overBudget(await knownTimes());
  console.log(`${slow.length === 0 ? '✓' : '✗'} every test file is within its budget, as last measured here`);
  for (const line of slow) console.log(`${line}; measure it with nothing else running: npm test -- <file>`);
  return slow.length === 0;
}
