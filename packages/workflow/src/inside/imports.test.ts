import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { bundle } from '../worker/bundle.ts';

const packages = fileURLToPath(new URL('../../..', import.meta.url));

/** What is loaded by a file, directly or not; types are not. */
function loadedBy(file: string, seen: Map<string, string[]> = new Map()): Map<string, string[]> {
  if (seen.has(file)) return seen;
  const loads = [...readFileSync(file, 'utf8').matchAll(/^(?:import|export) (?!type )[^;]*?from '([^']+)'/gm)]
    // `import { type A }` alone is a type too.
    .filter(([statement]) => !/^(?:import|export) \{(?:\s*type \w+,?)+\s*\}/.test(statement))
    .map(([, name = '']) => name);
  seen.set(file, loads);
  for (const name of loads) {
    if (name.startsWith('.')) loadedBy(join(dirname(file), name), seen);
    if (name === '@quorate/core') loadedBy(join(packages, 'core/src/index.ts'), seen);
  }
  return seen;
}

test('what workflows import loads nothing that a workflow may not', () => {
  const loaded = loadedBy(fileURLToPath(new URL('index.ts', import.meta.url)));
  const allowed = ['@temporalio/workflow', '@temporalio/common', '@quorate/core'];
  for (const [file, names] of loaded)
    for (const name of names)
      expect(name.startsWith('.') || allowed.includes(name), `${relative(packages, file)} loads ${name}`).toBe(true);
  // All files of this folder are looked at, and core with them.
  const here = readdirSync(dirname(fileURLToPath(import.meta.url))).filter((name) => !name.includes('.test.'));
  for (const name of here) expect([...loaded.keys()].map((file) => file.split('/').at(-1))).toContain(name);
  expect([...loaded.keys()].some((file) => file.endsWith('core/src/index.ts'))).toBe(true);
});

test('and it can be bundled', async () => {
  const { code } = await bundle({ workflowsPath: new URL('../../test/work/rides.ts', import.meta.url) });
  expect(code.length).toBeLessThan(6_000_000);
});
