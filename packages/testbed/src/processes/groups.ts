import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { tolerant } from './tolerant.ts';

/** A process in the machine's table. */
interface Entry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly state: string;
}

/** The process groups that descendants of a process have made for themselves: a signal to its own does not reach them. */
export function groupsUnder(pid: number): number[] {
  const groups = new Set<number>();
  const own = entryOf(pid)?.group ?? pid;
  for (const { group } of descendantsOf(pid)) if (group !== own) groups.add(group);
  return [...groups];
}

/** Whether none of it, nor of its descendants, executes anything: stopped, or gone. */
export function isStill(pid: number): boolean {
  if (process.platform === 'linux') return [pid, ...[...descendantsOf(pid)].map((child) => child.pid)].every(isStopped);
  return [...table().filter((entry) => entry.pid === pid), ...childrenInTable(pid)].every(
    ({ state }) => !/^[RSI]/.test(state),
  );
}

/** SIGSTOP reaches the threads of a process one by one. */
function isStopped(pid: number): boolean {
  return tolerant(() => readdirSync(`/proc/${pid}/task`), []).every((thread) => {
    const text = tolerant(() => readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8'), '');
    // One that waits for a disk stops before it returns from there.
    return !/\) [RS] /.test(text.slice(text.lastIndexOf(')')));
  });
}

function descendantsOf(pid: number): Iterable<Entry> {
  return process.platform === 'linux' ? childrenOnLinux(pid) : childrenInTable(pid);
}

function* childrenOnLinux(pid: number): Generator<Entry> {
  for (const thread of tolerant(() => readdirSync(`/proc/${pid}/task`), [])) {
    const children = tolerant(() => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8'), '');
    for (const child of children.trim().split(' ').filter(Boolean)) {
      const entry = entryOf(Number(child));
      if (!entry) continue;
      yield entry;
      yield* childrenOnLinux(entry.pid);
    }
  }
}

function table(): Entry[] {
  const text = execFileSync('/bin/ps', ['-A', '-o', 'pid=,ppid=,pgid=,state='], { encoding: 'utf8' });
  return text.split('\n').map((line): Entry => {
    const [pid = 0, parent = 0, group = 0, state = ''] = line.trim().split(/\s+/);
    return { pid: Number(pid), parent: Number(parent), group: Number(group), state };
  });
}

function* childrenInTable(pid: number): Generator<Entry> {
  const entries = table();
  const parents = [pid];
  for (const parent of parents) {
    for (const entry of entries) {
      if (entry.parent !== parent || entry.pid === parent) continue;
      parents.push(entry.pid);
      yield entry;
    }
  }
}

/** Undefined for a process that has gone, or is only waiting to be forgotten. */
function entryOf(pid: number): Entry | undefined {
  const text = tolerant(() => readFileSync(`/proc/${pid}/stat`, 'utf8'), '');
  // The name, in parentheses, may contain anything.
  const [state = 'X', parent, group] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return text === '' || 'XZ'.includes(state) ? undefined : { pid, parent: Number(parent), group: Number(group), state };
}

/** Whether the leader of a group lives; where there is no /proc, whether anybody of the group can be signalled. */
export function isGroupAlive(group: number): boolean {
  return process.platform === 'linux' ? entryOf(group) !== undefined : hasMembers(group);
}

/** Whether anybody of a group can be signalled, also one who has ended and waits to be forgotten. */
export function hasMembers(group: number): boolean {
  return tolerant(() => process.kill(-group, 0), false);
}

/** Whether anybody of a group lives, its leader or not. */
export function hasLiving(group: number): boolean {
  if (!hasMembers(group)) return false;
  if (process.platform !== 'linux') return true;
  // Where nobody buries the dead they can be signalled for ever.
  return tolerant(() => readdirSync('/proc'), []).some((name) => entryOf(Number(name))?.group === group);
}
