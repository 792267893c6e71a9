import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { expect, onTestFinished } from 'vitest';

const home = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(`${home}/README.md`, 'utf8');
const [, program = ''] = /```ts\n(.*?)```/s.exec(readme) ?? [];

const test = bedTest({ zookeeper: { members: 1, config: { tickTime: 100 } } });

test('the first program of the README has 12 lines, and does what it says: one leads, then the other', async ({
  bed,
}) => {
  expect(program.trimEnd().split('\n')).toHaveLength(12);
  // Its session is as long as this server grants: two seconds.
  const [one, two] = [start(bed.zookeeper.url), start(bed.zookeeper.url)];
  const first = await eventually('a leader', () => [one, two].find(({ said }) => said().includes('leads')));
  const second = first === one ? two : one;
  expect(second.said()).toBe('');
  first.child.kill('SIGKILL');
  await eventually('the other leads', () => second.said().includes('leads, with token'));
  const token = (text: string): bigint => BigInt(/token (\d+)/.exec(text)?.[1] ?? 0);
  expect(token(second.said())).toBeGreaterThan(token(first.said()));
});

function start(url: string): { readonly child: ChildProcess; readonly said: () => string } {
  const args = ['--conditions=@quorate/source', '--input-type=module-typescript', '-e', program];
  const env = { ...process.env, QUORATE_ZOOKEEPER: url };
  const child = spawn(process.execPath, args, { cwd: home, env, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  return { child, said: () => said };
}
