import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from './command.ts';

interface Manifest {
  readonly private?: boolean;
  readonly name: string;
  readonly license?: string;
  readonly repository?: { readonly type: string; readonly url: string; readonly directory?: string };
  readonly files?: readonly string[];
  readonly exports?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly os?: readonly string[];
  readonly publishConfig?: { readonly access: string; readonly provenance: boolean };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

function manifest(...folder: string[]): Manifest {
  return JSON.parse(readFileSync(join(root, ...folder, 'package.json'), 'utf8')) as Manifest;
}

const published = readdirSync(join(root, 'packages')).filter((name) => !manifest('packages', name).private);

describe.each(published)('%s', (folder) => {
  const { dependencies = {}, devDependencies = {}, peerDependencies = {}, ...about } = manifest('packages', folder);

  test('takes any compatible version of what it depends on, and is developed with one', () => {
    for (const [name, range] of Object.entries({ ...dependencies, ...peerDependencies }))
      expect(range, `${about.name} → ${name}`).toMatch(/^(\^|>=)\d/);
    // Ours among them are those beside it, whatever the range.
    for (const [name, version] of Object.entries(devDependencies))
      if (!name.startsWith('@quorate/')) expect(version, `${about.name} → ${name}`).toMatch(/^\d/);
  });

  test('says what it is, where it comes from and under which licence', () => {
    expect(about.license).toBe('Apache-2.0');
    expect(about.repository).toEqual({ ...manifest().repository, directory: `packages/${folder}` });
    expect(about.files).toContain('dist');
    expect(about.publishConfig).toEqual({ access: 'public', provenance: true });
  });

  test('contains its licence: npm packs a file of this name always, but not one above the package', () => {
    const licence = (...place: string[]): string => readFileSync(join(root, ...place, 'LICENSE'), 'utf8');
    expect(licence('packages', folder)).toBe(licence());
  });

  test('can be installed where it can run, and nowhere else', () => {
    expect(about.os).toEqual(['testbed', 'cli'].includes(folder) ? ['linux', 'darwin'] : undefined);
  });
});

test('the testbed brings no client of a service it starts, and works with Vitest from 4.1', () => {
  const { dependencies = {}, peerDependencies } = manifest('packages', 'testbed');
  expect(Object.keys(dependencies)).toEqual(['@quorate/core', 'proper-lockfile', 'tar', 'xz-decompress', 'yauzl']);
  expect(peerDependencies?.vitest).toBe('>=4.1');
});

test('an entry for this repository alone is not published, nor what is behind it', () => {
  const { exports = {}, files } = manifest('packages', 'testbed');
  const ours = Object.keys(exports).filter((entry) => exports[entry]?.default === undefined);
  expect(ours).toEqual(['./peers']);
  expect(files).toEqual(expect.arrayContaining(['!src/peers', '!dist/peers']));
  const index = readFileSync(join(root, 'packages/testbed/src/index.ts'), 'utf8');
  expect(index).not.toMatch(/peers|curator|kazoo|classPath/);
});
