import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
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

/** The first program of the README in both its forms, beside what is published: JavaScript, without the sources. */
async function programs(): Promise<AsyncDisposable & { readonly using: string; readonly close: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-test-'));
  await mkdir(join(folder, 'node_modules/@quorate'), { recursive: true });
  for (const name of ['core', 'zookeeper', 'coordination'])
    await symlink(join(root, 'packages', name), join(folder, 'node_modules/@quorate', name));
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

test('the first program runs on Node 22, 24 and 26; with `await using` on 24 and 26', async ({ bed }) => {
  await using program = await programs();
  await using zk = await connect(bed.zookeeper.url);
  const { NODE_OPTIONS: _, ...env } = process.env;
  const play = async (major: number, form: 'using' | 'close'): Promise<string> => {
    const place = `/${form}-${major}`;
    await zk.create(place);
    const child = spawn(await nodeOf(major), [program[form]], {
      env: { ...env, QUORATE_ZOOKEEPER: `${bed.zookeeper.url}${place}` },
    });
    let told = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (told += text));
    const closed = once(child, 'close');
    await eventually(`${form} on ${major}`, () => child.exitCode !== null || told.includes('leads'));
    child.kill('SIGKILL');
    await closed;
    return told;
  };
  const [using22, ...others] = await Promise.all([
    play(22, 'using'),
    play(22, 'close'),
    ...[24, 26].flatMap((major) => [play(major, 'using'), play(major, 'close')]),
  ]);
  expect(using22).toContain('SyntaxError');
  for (const told of others) expect(told).toMatch(/^node-\d+ leads, with token \d+\n$/);
});
