import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { circles } from './circles.ts';
import { root } from './command.ts';

/** Imports point one way: what each package may import of ours. A package that is not listed yet must be added here. */
const mayImport: Record<string, readonly string[]> = {
  core: [],
  zookeeper: ['core'],
  coordination: ['zookeeper', 'core'],
  mesh: ['core'],
  cache: ['core'],
  stream: ['core'],
  workflow: ['core'],
  storage: ['core'],
  service: ['core'],
  testbed: ['core'],
  cli: [
    ...['core', 'testbed', 'zookeeper', 'coordination', 'mesh', 'cache', 'stream', 'workflow', 'storage', 'service'],
    // It plays the demos, where they are installed.
    'concepts',
  ],
  bench: ['core', 'testbed', 'zookeeper', 'coordination', 'mesh', 'cache', 'stream', 'workflow', 'storage', 'service'],
};

const packages = readdirSync(join(root, 'packages'));

/** The sources of a package, without its tests. */
function sources(name: string): string[] {
  const files = readdirSync(join(root, 'packages', name, 'src'), { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => join(root, 'packages', name, 'src', file));
}

function imports(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(
    ([, specifier]) => specifier ?? '',
  );
}

describe.each(packages)('%s', (name) => {
  test('imports of ours only what it may, by its public name', () => {
    for (const file of sources(name)) {
      for (const specifier of imports(file)) {
        expect(specifier, file).not.toMatch(/packages\/|^(\.\.\/)+(core|testbed|cli|zookeeper)\//);
        const [, other] = /^@quorate\/([a-z]+)/.exec(specifier) ?? [];
        if (other !== undefined)
          expect([...(mayImport[name] ?? []), name], `${file} imports ${specifier}`).toContain(other);
      }
    }
  });

  test('has no files that import one another in a circle', () => {
    const home = join(root, 'packages', name, 'src');
    const relative = (file: string): string => file.slice(home.length + 1);
    const arrows = new Map(
      sources(name).map((file) => [
        relative(file),
        imports(file)
          .filter((specifier) => specifier.startsWith('.'))
          .map((specifier) => relative(resolve(file, '..', specifier))),
      ]),
    );
    const found = circles(arrows).map((files) => files.join(' '));
    expect(found).toEqual([]);
  });

  test('has a README, and an index that lists its public names one by one', () => {
    expect(readdirSync(join(root, 'packages', name))).toContain('README.md');
    if (name === 'cli' || name === 'bench') return;
    expect(readFileSync(join(root, 'packages', name, 'src/index.ts'), 'utf8')).not.toContain('export *');
  });
});

describe.each(readdirSync(join(root, 'examples')))('examples/%s', (name) => {
  test('imports packages by their public entry only', () => {
    const home = join(root, 'examples', name);
    for (const file of readdirSync(home, { recursive: true, encoding: 'utf8' })) {
      if (!/^(?!.*(dist|node_modules)\/).*\.ts$/.test(file)) continue;
      for (const specifier of imports(join(home, file))) {
        expect(specifier, file).not.toMatch(/packages\//);
        const up = specifier.split('/').filter((part) => part === '..').length;
        expect(up, `${file} imports ${specifier}`).toBeLessThan(file.split('/').length);
        if (specifier.startsWith('@quorate/'))
          expect(specifier, file).toMatch(/^@quorate\/[a-z]+(\/(vitest|inside|activity|opentelemetry))?$/);
      }
    }
  });
});

test('the folders at the top are those of the design', () => {
  const folders = readdirSync(root, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && !entry.name.startsWith('.'),
  );
  const designed = ['packages', 'examples', 'deploy', 'docs', 'raspberry-pi', 'node_modules'];
  for (const { name } of folders) expect(designed).toContain(name);
});
