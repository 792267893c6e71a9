import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { promisify } from 'node:util';

/**
 * A process by a name that no other has or gets: its number, when it began, and where numbers mean that. It can be a part
 * of a file's name.
 */
export async function thisOwner(): Promise<string> {
  return `${process.pid}-${await beginOf(process.pid)}-${await here()}`;
}

/**
 * Whether the owner is there; a process that stands still is. Undefined when that cannot be known from here: it is of
 * another machine or another container, or of this machine before it was started anew.
 */
export async function isThere(owner: string): Promise<boolean | undefined> {
  const [, pid, begin, where] = /^(\d+)-(\w+)-(\w+)$/.exec(owner) ?? [];
  if (where !== (await here())) return undefined;
  return (await beginOf(Number(pid))) === begin;
}

/** When a process began, in whatever terms this system has; undefined when there is none. */
async function beginOf(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
    // After the program's name, which may have spaces and brackets in it: the state is the third of all, the begin the 22nd.
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields?.[0] === 'Z' ? undefined : fields?.[19];
  }
  const { stdout } = await promisify(execFile)('/bin/ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => ({
    stdout: '',
  }));
  return stdout.trim() === '' ? undefined : digest(stdout);
}

let place: Promise<string> | undefined;

/** Where the number of a process means the same process. */
function here(): Promise<string> {
  place ??= (async () => {
    if (process.platform !== 'linux') return digest(hostname());
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
    return digest(boot + (await readlink('/proc/self/ns/pid')));
  })();
  return place;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
