import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { command, root } from './command.ts';
import type { Tally } from './tally.ts';

interface Check {
  readonly what: string;
  readonly run: readonly [string, ...string[]];
}

const published = readdirSync(join(root, 'packages')).filter((name) => name !== 'bench');

/** The command has no types: nothing imports it. */
const libraries = published.filter((name) => name !== 'cli');

/** In this order: the last ones look at what tsc has built. */
const checks: readonly Check[] = [
  { what: 'format and lint', run: ['biome', 'ci', '--colors=off', '.'] },
  { what: 'types of the packages', run: ['tsc', '-b'] },
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

/** Runs every static check, says how each went, and shows what those that failed have to say. */
export async function runStaticChecks(): Promise<Tally> {
  let failed = 0;
  for (const { what, run } of checks) {
    const begin = performance.now();
    const [name, ...args] = run;
    const { status, output } = await command(name, args);
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    console.log(`${status === 0 ? '✓' : '✗'} ${what} (${seconds} s)`);
    if (status === 0) continue;
    failed += 1;
    console.log(`${output.trimEnd()}\nThat was: ${run.join(' ')}\n`);
  }
  return { passed: checks.length - failed, failed, skipped: 0 };
}
