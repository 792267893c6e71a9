import { execFile } from 'node:child_process';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { Warden } from '../src/processes/warden.ts';
import { isAlive } from './alive.ts';

const source = new URL('../src/processes/warden.ts', import.meta.url).href;

/** In it the number of the next process can be chosen; the shell buries orphans, as the first process has to. */
const space = ['--user', '--map-root-user', '--pid', '--fork', '--mount-proc', '--kill-child'];
const first = ['/bin/sh', '-c', '"$@"; exit $?', 'first'];

/** A program that ends leaves a child; that ends too, and a stranger gets the number of the group. */
const program = `
  import { spawn } from 'node:child_process';
  import { once } from 'node:events';
  import { writeFileSync } from 'node:fs';
  import { Warden } from ${JSON.stringify(source)};
  const warden = await Warden.open('/no/such/folder');
  const launched = await warden.launch({ command: 'sh', args: ['-c', 'sleep 307 & echo $!'], cwd: '/', output: 'pipe' });
  const exit = once(launched, 'exit');
  const [child] = await launched.stdout.setEncoding('utf8').take(1).toArray();
  await exit;
  process.kill(Number(child), 'SIGKILL');
  const isAlive = (pid) => { try { return process.kill(pid, 0); } catch { return false; } };
  while (isAlive(-launched.pid)) await new Promise(setImmediate);
  let stranger;
  do {
    stranger?.kill('SIGKILL');
    writeFileSync('/proc/sys/kernel/ns_last_pid', String(launched.pid - 1));
    stranger = spawn('sleep', ['307'], { detached: true, stdio: 'ignore' });
  } while (stranger.pid !== launched.pid);
  await warden.close();
  console.log(isAlive(stranger.pid) ? 'spared' : 'killed');
  process.exit();
`;

test('a stranger who got the number of a group that is empty is left alone', async ({ skip }) => {
  const run = promisify(execFile)(
    'unshare',
    [...space, ...first, process.execPath, '--conditions=@quorate/source', '--input-type=module', '-e', program],
    { timeout: 30_000 },
  );
  const result = await run.catch((error: Error & { stderr: string }) => error);
  if (result instanceof Error) {
    if (/unshare|ns_last_pid/.test(result.stderr || result.message))
      skip('the number of a process cannot be chosen here');
    throw result;
  }
  expect(result.stdout).toBe('spared\n');
});

test.skipIf(process.platform !== 'linux')(
  'who gets the mark when another who has it is killed is killed too',
  async () => {
    const warden = Warden.withoutFolder();
    // The second is without the mark until the first, whose output it reads, is gone.
    const heir = 'echo $$ >&2; read -r _; export QUORATE_MARK="$1"; exec sleep 60';
    const both = `setsid sleep 60 | setsid env -i PATH="$PATH" sh -c '${heir}' heir "$QUORATE_MARK" >/dev/null`;
    const child = await warden.launch({ command: 'sh', args: ['-c', both], cwd: '/', output: 'pipe' });
    const [said] = await (child.stderr as Readable).setEncoding('utf8').take(1).toArray();
    onTestFinished(() => {
      if (isAlive(Number(said))) process.kill(Number(said), 'SIGKILL');
    });
    expect(isAlive(Number(said))).toBe(true);
    await warden.close();
    expect(isAlive(Number(said))).toBe(false);
  },
);
