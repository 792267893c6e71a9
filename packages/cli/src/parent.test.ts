import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '@quorate/testbed';
import { describe, expect, onTestFinished, test } from 'vitest';
import { spawnCommand } from '../parent.js';
import { runs } from '../test/processes.ts';

const parent = fileURLToPath(new URL('../parent.js', import.meta.url));

/** Counts SIGINT, and says how often it came. */
const child = `
let count = 0;
const end = () => { console.log('total=' + count); process.exit(); };
process.on('SIGINT', () => { count += 1; setTimeout(end, 600); });
console.log('counting');
setTimeout(end, 5000);`;

const program = `
import { forwardSignals, spawnGuarded } from ${JSON.stringify(parent)};
const signals = forwardSignals();
const child = spawnGuarded(process.execPath, ['-e', ${JSON.stringify(child)}], { stdio: 'inherit' });
signals.to(child);
// On a busy machine the child may be ready before this process is.
console.log('forwarding');
child.on('exit', signals.stop);`;

/** Runs the arguments on a terminal of their own; once both are ready it types Ctrl-C, or sends SIGINT to the process alone. */
const terminal = `
import os, pty, signal, sys
act, command = sys.argv[1], sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0: os.execvp(command[0], command)
out, done = b'', False
while True:
    try: data = os.read(terminal, 4096)
    except OSError: break
    if not data: break
    out += data
    if not done and b'counting' in out and b'forwarding' in out:
        done = True
        if act == 'Ctrl-C': os.write(terminal, b'\\x03')
        else: os.kill(pid, signal.SIGINT)
os.waitpid(pid, 0)
print(out.decode())`;

// Only a terminal tells them apart, and Node cannot make one.
test.concurrent.for([
  ['Ctrl-C', 'the terminal', ''],
  ['Ctrl-C', 'another input', '</dev/null'],
  ['SIGINT', 'the terminal', ''],
  ['SIGINT', 'another input', '</dev/null'],
] as const)('%s on a terminal reaches a child once, with %s as its input', async ([act, , input], { expect }) => {
  const line = `exec "$0" --input-type=module -e "$1" ${input}`;
  const python = spawn('python3', ['-c', terminal, act, 'sh', '-c', line, process.execPath, program]);
  let out = '';
  python.stdout.on('data', (text) => (out += text));
  await once(python, 'close');
  expect(out).toContain('total=1');
});

/** The numbers that a process prints, once there are so many: of processes that end with the test at the latest. */
async function pidsOf(child: ChildProcess, count: number): Promise<number[]> {
  let printed = '';
  child.stdout?.on('data', (text) => (printed += text));
  const lines = (): number[] => (printed.match(/^\d+$/gm) ?? []).map(Number);
  const pids = await eventually('all of them run', () => (lines().length === count ? lines() : undefined));
  onTestFinished(() => {
    for (const pid of pids) if (runs(pid)) process.kill(pid, 'SIGKILL');
  });
  return pids;
}

test('who only speaks of guards and wardens ends when the parent of its parent is killed', async () => {
  const words = 'sh -c "echo \\$\\$; sleep 60; true quorate-guard quorate-warden" & wait';
  const program = `
    import { spawnGuarded } from ${JSON.stringify(parent)};
    spawnGuarded('sh', ['-c', ${JSON.stringify(words)}], { stdio: 'inherit' });
    setInterval(() => {}, 1_000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [pid = 0] = await pidsOf(child, 1);
  child.kill('SIGKILL');
  await eventually('it is gone', () => !runs(pid));
});

describe.skipIf(process.platform !== 'linux')('what a command leaves behind, wherever it has gone', () => {
  test('is asked to end, and killed when it does not', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'quorate-test-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const polite = 'setsid sh -c \'trap "touch asked; exit" TERM; echo $$; while :; do sleep 0.05; done\' &';
    const deaf = 'sh -c \'trap "" TERM; echo $$; while :; do sleep 0.05; done\' &';
    const stdio = ['pipe', 'pipe', 'ignore'] as const;
    const { child, cleared } = spawnCommand(
      'sh',
      ['-c', `${polite} ${deaf} read -r _`],
      { cwd: folder, stdio: [...stdio] },
      300,
    );
    const pids = await pidsOf(child, 2);
    child.stdin?.end();
    await once(child, 'exit');
    await cleared();
    expect(pids.filter(runs)).toEqual([]);
    expect(await readdir(folder)).toEqual(['asked']);
  });
});
