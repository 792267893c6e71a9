import { readFileSync } from 'node:fs';

/** Whether a process runs, or could. One that has ended and that nobody has buried yet does not count. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    // Gone in the meantime, or no Linux.
    return process.platform !== 'linux';
  }
}
