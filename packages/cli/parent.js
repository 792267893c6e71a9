// What a parent starts does not outlive it, however the parent ends. Plain JavaScript, for the bootstrap as well.
import { execFile, spawn } from 'node:child_process';
import { constants } from 'node:os';

/**
 * A shell in a session of its own reads a process id from its standard input. When that ends without another word — the
 * parent has died, by SIGKILL even — it kills that process and all below it. Each is stopped before its children are
 * listed, so that none is forked unseen. Guards and wardens below are spared: they see that their own parent is gone,
 * and what they clean up is more than processes.
 */
const script = `# quorate-guard
trap '' HUP INT TERM
PATH=/usr/bin:/bin:/usr/sbin:/sbin
child=
while read -r word; do child=$word; done
[ "$child" != done ] && [ -n "$child" ] || exit 0
end() {
  kill -STOP "$1" 2>/dev/null || return
  ps -A -ww -o pid= -o ppid= -o args= | while read -r pid ppid args; do
    [ "$ppid" = "$1" ] || continue
    case $args in *quorate-guard*|*quorate-warden*) continue ;; esac
    end "$pid"
  done
  kill -KILL "$1"
}
end "$child"
`;

/**
 * As `spawn` of Node, but what is started does not outlive this process. It stays in our process group, so that it keeps
 * the terminal: input, Ctrl-C, job control.
 */
export function spawnGuarded(command, args, options) {
  const guard = spawn('/bin/sh', ['-c', script], { cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  guard.on('error', () => {});
  guard.stdin.on('error', () => {});
  guard.unref();
  guard.stdin.unref();
  const child = spawn(command, args, options);
  // In the same turn: no signal handler of ours runs in between, and nothing is awaited.
  if (child.pid !== undefined) guard.stdin.write(`${child.pid}\n`);
  for (const event of ['exit', 'error']) child.once(event, () => guard.stdin.end('done\n'));
  return child;
}

/** So long signals are waited for that belong together, in milliseconds. */
const together = 250;

/**
 * Passes on to the child, which `spawnGuarded` has started, what somebody asks of this process. Returns how to stop that.
 *
 * A terminal sends Ctrl-C, or that it hangs up, to the whole process group: the child has it already, and twice would
 * mean "now". No process is told who sent a signal; so a witness in the same group, which a signal ends, tells whether it
 * was sent to all. npm passes Ctrl-C on as well: what arrives together is one signal.
 */
export function forwardSignals(child) {
  let witness = startWitness();
  let pending;
  const judge = (signal) => {
    pending ??= setTimeout(() => {
      pending = undefined;
      if (witness.signalCode === null) child.kill(signal);
      else witness = startWitness();
    }, together);
  };
  const terminate = () => child.kill('SIGTERM');
  process.on('SIGINT', judge).on('SIGHUP', judge).on('SIGTERM', terminate);
  return () => {
    process.off('SIGINT', judge).off('SIGHUP', judge).off('SIGTERM', terminate);
    clearTimeout(pending);
    witness.kill('SIGKILL');
  };
}

/** Ends with this process at the latest: its input does. */
function startWitness() {
  const witness = spawn('/bin/cat', [], { cwd: '/', stdio: ['pipe', 'ignore', 'ignore'] });
  for (const one of [witness, witness.stdin]) one.on('error', () => {});
  witness.unref();
  witness.stdin.unref();
  return witness;
}

/** How often it is looked whether npm is still there, in milliseconds. */
const lookEvery = 500;

/**
 * Ends this process when npm or npx, which started it, is gone without having told it so: what it has started then ends
 * as well. Nothing tells a child that its parent was killed, so that it must look. What npm did not start may stay when
 * its parent ends.
 */
export function exitWithNpm() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  let npm = parent;
  // Between npm and us may be the shell that npm runs a script with.
  execFile('ps', ['-o', 'ppid=,comm=', '-p', String(parent)], (_error, text) => {
    const [, grandparent, shell] = /^\s*(\d+)\s+(?:\S*\/)?-?(\w*sh)\s*$/.exec(text) ?? [];
    if (shell !== undefined) npm = Number(grandparent);
  });
  const timer = setInterval(() => {
    if (process.ppid !== parent || !exists(npm)) process.exit(128 + constants.signals.SIGKILL);
  }, lookEvery);
  timer.unref();
}

function exists(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== 'ESRCH';
  }
}
