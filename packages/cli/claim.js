// A file that at most one living process holds. Plain JavaScript, for the bootstrap as well: Node has no file locks, and
// those of the registry tell a dead owner by the age of a file, which takes an owner that stood still for a dead one.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/**
 * Takes the file for this process, unless a living process holds it. Returns the holder's record in that case, else
 * undefined. What is in `details` can be read by others. A file whose holder is dead is taken over.
 */
export function claim(file, details = {}) {
  for (;;) {
    if (create(file, details)) return undefined;
    const found = holder(file);
    if (found) return found;
  }
}

/** Replaces the details of a file that this process holds. */
export function amend(file, details) {
  const draft = written(file, details);
  renameSync(draft, file);
}

/** Gives up a file that this process holds. */
export function release(file) {
  if (read(file)?.pid === process.pid) rmSync(file, { force: true });
}

/** The record of the living process that holds the file. A file whose holder is dead is removed. */
export function holder(file) {
  const record = read(file);
  if (record && isAlive(record)) return record;
  if (record) removeStale(file);
  return undefined;
}

/** Whether the process that wrote this still runs: not only its number, which another process may have by now. */
export function isAlive({ pid, started }) {
  return started !== undefined && startOf(pid) === started;
}

function create(file, details) {
  const draft = written(file, details);
  try {
    // Whoever sees the file sees all of it; a link, unlike a rename, fails when there is one already.
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function written(file, details) {
  const draft = `${file}.${process.pid}-${randomBytes(6).toString('hex')}`;
  const record = { ...details, pid: process.pid, started: startOf(process.pid) };
  writeFileSync(draft, JSON.stringify(record), { mode: 0o600 });
  return draft;
}

/** Undefined when there is no file; an empty record, of nobody, when it cannot be understood. */
function read(file) {
  let text;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

/**
 * Two that see the same dead holder must not both remove its file: the second would remove the claim of the first. So
 * only who holds a second file removes, and looks again before.
 */
function removeStale(file) {
  const right = `${file}.stale`;
  if (create(right, {})) {
    const record = read(file);
    if (record && !isAlive(record)) rmSync(file, { force: true });
    rmSync(right, { force: true });
    return;
  }
  const other = read(right);
  // Whoever died between the two lines above would be in the way for ever.
  if (other && !isAlive(other)) rmSync(right, { force: true });
  else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
}

/** When a process started, in words that stay the same while it runs; undefined when it does not run. */
function startOf(pid) {
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  return process.platform === 'linux' ? linuxStart(pid) : psStart(pid);
}

function linuxStart(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program, in parentheses, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended: nobody has asked for its exit status yet.
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${fields[19]}`;
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return undefined;
    throw error;
  }
}

function psStart(pid) {
  try {
    const env = { PATH: '/bin:/usr/bin', LC_ALL: 'C', TZ: 'UTC' };
    const [state, ...start] = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
      .trim()
      .split(/\s+/);
    return state.startsWith('Z') ? undefined : start.join(' ');
  } catch {
    // ps fails when there is no such process.
    return undefined;
  }
}
