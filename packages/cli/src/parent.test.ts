import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { test } from 'vitest';

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
const child = spawnGuarded(process.execPath, ['-e', ${JSON.stringify(child)}], { stdio: 'inherit' });
const stop = forwardSignals(child);
// On a busy machine the child may be ready before this process is.
console.log('forwarding');
child.on('exit', stop);`;

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
