import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { command, root } from './command.ts';

/** Vitest runs every test when one of these changes. */
const concernsAll = /(^|\/)(package\.json|vitest\.config\.\w+)$/;

/**
 * The files among those that have changed, since a commit or the last one, that no test imports, not even through others:
 * `--changed` selects no test for them, though some may start them as programs, or read them.
 */
export async function unimportedChanges(commit = 'HEAD'): Promise<string[]> {
  const lists = [
    ['diff', '--name-only', '--relative', commit],
    ['ls-files', '--others', '--exclude-standard'],
  ];
  const changed = await Promise.all(lists.map(async (args) => (await command('git', args)).output.split('\n')));
  return unimported(changed.flat().filter(Boolean));
}

/** By their paths from the root of the repository. */
export function unimported(files: readonly string[]): string[] {
  const imported = new Set(testFiles());
  for (const file of imported) for (const other of importsOf(file)) imported.add(other);
  return files.filter((file) => !imported.has(file) && !concernsAll.test(file)).sort();
}

function testFiles(): string[] {
  return ['packages', 'examples'].flatMap((folder) =>
    readdirSync(join(root, folder)).flatMap((name) =>
      ['src', 'test', 'workspace'].flatMap((part) =>
        filesIn(join(folder, name, part)).filter((file) => file.endsWith('.test.ts')),
      ),
    ),
  );
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** What a file imports of ours when it runs: types are gone by then. */
function importsOf(file: string): string[] {
  if (!/\.[jt]s$/.test(file)) return [];
  const words = /(?<!\w)(?:import|export)\s+(type\s)?[^;'"]*?from\s*'([^']+)'|(?<!\w)import\s*\(?\s*'([^']+)'/g;
  return [...textOf(file).matchAll(words)].flatMap(([, type, from, whole]) => {
    const specifier = from ?? whole ?? '';
    if (type !== undefined) return [];
    if (specifier.startsWith('.')) return [relative(root, resolve(root, file, '..', specifier))];
    const [, name, entry] = /^@quorate\/(\w+)(\/.*)?$/.exec(specifier) ?? [];
    return name === undefined ? [] : entryOf(name, `.${entry ?? ''}`);
  });
}

function entryOf(name: string, entry: string): string[] {
  for (const home of [`packages/${name}`, `examples/${name}`]) {
    const text = textOf(`${home}/package.json`);
    if (text === '') continue;
    const { exports } = JSON.parse(text) as { exports?: Record<string, string | Record<string, string>> };
    const target = exports?.[entry];
    const source = typeof target === 'string' ? target : target?.['@quorate/source'];
    if (source !== undefined) return [join(home, source)];
  }
  return [];
}

function textOf(file: string): string {
  try {
    return readFileSync(join(root, file), 'utf8');
  } catch {
    return '';
  }
}
