import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Bytes of memory that the processes of a group hold: resident, shared pages counted in each. */
export async function residentBytes(group: number): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pgid=,rss=']);
  let kilobytes = 0;
  for (const line of stdout.split('\n')) {
    const [pgid, rss] = line.trim().split(/\s+/).map(Number);
    if (pgid === group) kilobytes += rss ?? 0;
  }
  return kilobytes * 1024;
}
