import { execFileSync } from 'node:child_process';

interface Row {
  readonly pid: number;
  readonly parent: number;
  /** Its process group. */
  readonly group: number;
  readonly state: string;
  readonly words: string;
}

function all(): Row[] {
  return execFileSync('ps', ['-A', '-ww', '-o', 'pid=,ppid=,pgid=,stat=,args='], { encoding: 'utf8' })
    .split('\n')
    .flatMap((line) => {
      const [, pid, parent, group, state = '', words = ''] =
        /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.*)/.exec(line) ?? [];
      return pid === undefined
        ? []
        : [{ pid: Number(pid), parent: Number(parent), group: Number(group), state, words }];
    });
}

/** Whether a process runs: one that has ended and whose parent has not asked for its status does not. */
export function runs(pid: number): boolean {
  return all().some((row) => row.pid === pid && !row.state.startsWith('Z'));
}

/** A process and all below it, as they are now. */
export function family(pid: number): Row[] {
  const rows = all();
  const below = (parent: number): Row[] =>
    rows.filter((row) => row.parent === parent).flatMap((row) => [row, ...below(row.pid)]);
  return [...rows.filter((row) => row.pid === pid), ...below(pid)];
}
