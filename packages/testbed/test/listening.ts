import { readdir, readFile, readlink } from 'node:fs/promises';

/** The addresses, in the kernel's hexadecimal, on which a process listens for TCP. Linux only: it reads /proc. */
export async function listeningAddresses(pid: number): Promise<string[]> {
  const files = await readdir(`/proc/${pid}/fd`);
  const links = await Promise.all(files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')));
  const sockets = new Set(links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1]));
  const addresses: string[] = [];
  for (const table of ['tcp', 'tcp6']) {
    for (const line of (await readFile(`/proc/net/${table}`, 'utf8')).split('\n').slice(1)) {
      const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state === '0A' && sockets.has(inode)) addresses.push(local.split(':')[0] ?? '');
    }
  }
  return addresses;
}
