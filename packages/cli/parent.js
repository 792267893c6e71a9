// What a parent starts does not outlive it, however the parent ends. Plain JavaScript, for the bootstrap as well.
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';

/** In the environment of a command and of all that it starts: who has it ends with the command. */
export const commandMark = 'QUORATE_COMMAND';

/**
 * A shell in a session of its own reads a process id from its standard input. When that ends without another word — the
 * parent has died, by SIGKILL even — it kills that process and all below it. Each is stopped before its children are
 * listed, so that none is forked unseen. Guards and wardens below are spared: they see that their own parent is gone,
 * and what they clean up is more than processes. They are known by their environment; where it cannot be read, by how
 * their text begins.
 *
 * Then it ends whoever carries the mark `$1`, wherever it has gone. After a last word, `done`, they are asked first, and
 * have `$2` tenths of a second, as long as the parent `$3` lives. Where there is no /proc nobody can be found.
 */
const script = `# quorate-guard
trap '' HUP INT TERM
PATH=/usr/bin:/bin:/usr/sbin:/sbin
child=
while read -r word; do child=$word; done
is_guard() {
  if [ -r /proc/self/environ ]; then grep -qzsFx QUORATE_GUARD=yes "/proc/$1/environ"; return; fi
  case $2 in '/bin/sh -c # quorate-guard'*|'/bin/sh -c # quorate-warden'*) return 0 ;; esac
  return 1
}
end() {
  kill -STOP "$1" 2>/dev/null || return
  ps -A -ww -o pid= -o ppid= -o args= | while read -r pid ppid args; do
    [ "$ppid" = "$1" ] || continue
    is_guard "$pid" "$args" || end "$pid"
  done
  kill -KILL "$1"
}
[ -z "$child" ] || [ "$child" = done ] || end "$child"
[ -n "$1" ] || exit 0
carriers() { grep -lzsFx "$1" /proc/[0-9]*/environ | while IFS=/ read -r _ _ pid _; do echo "$pid"; done; }
tries=0 asked=
[ "$child" = done ] || tries=$2
while [ "$tries" -lt "$2" ] && kill -0 "$3"; do
  found=$(carriers "$1")
  [ -n "$found" ] || exit 0
  for pid in $found; do
    case " $asked " in *" $pid "*) continue ;; esac
    # Who is stopped would not see that it is asked.
    kill -TERM "$pid"; kill -CONT "$pid"
    asked="$asked $pid"
  done
  tries=$((tries + 1)); sleep 0.1
done
tries=0
while [ "$tries" -lt 50 ]; do
  found=$(carriers "$1")
  [ -n "$found" ] || exit 0
  for pid in $found; do kill -KILL "$pid"; done
  tries=$((tries + 1)); sleep 0.1
done
`;

/**
 * As `spawn` of Node, but what is started does not outlive this process. It stays in our process group, so that it keeps
 * the terminal: input, Ctrl-C, job control.
 */
export function spawnGuarded(command, args, options) {
  return spawnUnder(startGuard(), command, args, options);
}

/**
 * As `spawnGuarded`, for a command that may leave something behind, such as a job of a shell. `cleared` gives when that has
 * ended too, after the command: by SIGTERM, or by SIGKILL `grace` milliseconds later.
 */
export function spawnCommand(command, args, options, grace = 5_000) {
  const mark = randomBytes(16).toString('hex');
  const guard = startGuard(`${commandMark}=${mark}`, grace);
  const ended = new Promise((done) => guard.once('exit', done).once('error', done));
  const env = { ...(options.env ?? process.env), [commandMark]: mark };
  const child = spawnUnder(guard, command, args, { ...options, env });
  const cleared = async () => {
    guard.ref();
    await ended;
  };
  return { child, cleared };
}

function startGuard(mark = '', grace = 0) {
  const words = [mark, String(Math.ceil(grace / 100)), String(process.pid)];
  const guard = spawn('/bin/sh', ['-c', script, 'quorate-guard', ...words], {
    cwd: '/',
    // Nothing of ours: a mark in it would be that of an outer guard or warden, which is not to kill this one.
    env: { QUORATE_GUARD: 'yes' },
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.on('error', () => {});
  guard.stdin.on('error', () => {});
  guard.unref();
  guard.stdin.unref();
  return guard;
}

function spawnUnder(guard, command, args, options) {
  const child = spawn(command, args, options);
  // In the same turn: no signal handler of ours runs in between, and nothing is awaited.
  if (child.pid !== undefined) guard.stdin.write(`${child.pid}\n`);
  for (const event of ['exit', 'error']) child.once(event, () => guard.stdin.end('done\n'));
  return child;
}

/** So long signals are waited for that belong together, in milliseconds. */
const together = 250;

/**
 * Passes on to a child, which is guarded, what somebody asks of this process. Returns how to say to which, and how to stop that. Begun before the
 * child is: what comes while it starts would end this process, and the child be asked by nobody.
 *
 * A terminal sends Ctrl-C, or that it hangs up, to the whole process group: the child has it already, and twice would
 * mean "now". No process is told who sent a signal; so a witness in the same group, which a signal ends, tells whether it
 * was sent to all. npm passes Ctrl-C on as well: what arrives together is one signal.
 */
export function forwardSignals() {
  let child;
  let witness = startWitness();
  let pending;
  const judge = (signal) => {
    pending ??= setTimeout(() => {
      pending = undefined;
      if (witness.signalCode === null) child?.kill(signal);
      else witness = startWitness();
    }, together);
  };
  const terminate = () => child?.kill('SIGTERM');
  process.on('SIGINT', judge).on('SIGHUP', judge).on('SIGTERM', terminate);
  return {
    to: (started) => {
      child = started;
    },
    stop: () => {
      process.off('SIGINT', judge).off('SIGHUP', judge).off('SIGTERM', terminate);
      clearTimeout(pending);
      witness.kill('SIGKILL');
    },
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
