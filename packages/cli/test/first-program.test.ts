import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { connect } from '@quorate/zookeeper';
import { beforeAll, expect } from 'vitest';
import { nodeOf } from './node-versions.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

const test = bedTest({ zookeeper: 1 });

beforeAll(async () => {
  await promisify(execFile)('tsc', ['-b'], { cwd: root });
});

/** The first program of the README in both its forms, beside the packages: as they are published, or before they are built. */
async function programs(
  packages: 'built' | 'unbuilt',
): Promise<AsyncDisposable & { readonly using: string; readonly close: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-test-'));
  await mkdir(join(folder, 'node_modules/@quorate'), { recursive: true });
  for (const name of ['core', 'zookeeper', 'coordination']) {
    const [home, copy] = [join(root, 'packages', name), join(folder, 'packages', name)];
    await symlink(packages === 'built' ? home : copy, join(folder, 'node_modules/@quorate', name));
    if (packages === 'built') continue;
    // As in a clone, where the package manager links them: Node strips no types below node_modules.
    for (const part of ['package.json', 'src']) await cp(join(home, part), join(copy, part), { recursive: true });
  }
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const [first = '', second = ''] = [...readme.matchAll(/```ts\n(import .*?)```/gs)]
    .map(([, text]) => text ?? '')
    .filter((text) => text.includes('election.lead'));
  expect(first).toContain('await using');
  expect(second).toMatch(/try \{.*finally \{/s);
  expect(second).not.toContain('using');
  const [using, close] = [join(folder, 'using.mjs'), join(folder, 'close.mjs')];
  await writeFile(using, first);
  await writeFile(close, second);
  return { using, close, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

/** Runs a program until it says that it leads, or ends; what it has said. */
async function play(words: readonly string[], zookeeper: string, major: number): Promise<string> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(await nodeOf(major), words, { env: { ...env, QUORATE_ZOOKEEPER: zookeeper } });
  let told = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (told += text));
  const closed = once(child, 'close');
  await eventually(`${words.join(' ')} on ${major}`, () => child.exitCode !== null || told.includes('leads'));
  child.kill('SIGKILL');
  await closed;
  return told;
}

const leads = /^node-\d+ leads, with token \d+\n$/;

test('the first program runs on Node 22, 24 and 26; with `await using` on 24 and 26', async ({ bed }) => {
  await using program = await programs('built');
  await using zk = await connect(bed.zookeeper.url);
  const inPlace = async (major: number, form: 'using' | 'close'): Promise<string> => {
    const place = `/${form}-${major}`;
    await zk.create(place);
    return play([program[form]], `${bed.zookeeper.url}${place}`, major);
  };
  const [using22, ...others] = await Promise.all([
    inPlace(22, 'using'),
    inPlace(22, 'close'),
    ...[24, 26].flatMap((major) => [inPlace(major, 'using'), inPlace(major, 'close')]),
  ]);
  expect(using22).toContain('SyntaxError');
  for (const told of others) expect(told).toMatch(leads);
});

test('before anything is built it takes the words that the README gives', async ({ bed }) => {
  await using program = await programs('unbuilt');
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const [, condition = ''] = /run it with `node (--conditions=\S+)`/.exec(readme) ?? [];
  const { url } = bed.zookeeper;
  expect(await play([program.using], url, 26)).toMatch(/dist\/index\.js.*ERR_MODULE_NOT_FOUND/s);
  expect(await play([condition, program.using], url, 26)).toMatch(leads);
});
