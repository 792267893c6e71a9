import { readdirSync, readFileSync } from 'node:fs';
import { eventually } from '../eventually.ts';
import { tolerant } from './tolerant.ts';

/**
 * Kills every process that carries a mark in its environment, wherever it has gone: a daemon leaves its group and its
 * parent. Resolves when there is none, and none of those has a port any more. Where there is no /proc nobody can be found.
 */
export async function endCarriers(mark: Readonly<Record<string, string>>): Promise<void> {
  const entries = Object.entries(mark).map(([name, value]) => `${name}=${value}`);
  const killed = new Set<number>();
  // Who is being killed may have made another one.
  const none = (): boolean => {
    const carriers = carriersOf(entries);
    for (const pid of carriers) {
      tolerant(() => process.kill(pid, 'SIGKILL'), false);
      killed.add(pid);
    }
    return carriers.length === 0 && [...killed].every(isOver);
  };
  await eventually('no process carries the mark', none, { within: 2_000, every: 5 });
}

function carriersOf(entries: readonly string[]): number[] {
  const pids = tolerant(() => readdirSync('/proc'), []).filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    // Empty for one that has ended, and nobody else's business for a stranger's.
    const environment = tolerant(() => readFileSync(`/proc/${pid}/environ`, 'utf8'), '').split('\0');
    return entries.every((entry) => environment.includes(entry));
  });
}

/** Who ends gives up its memory first, and the environment with it; its ports only then. */
function isOver(pid: number): boolean {
  const text = tolerant(() => readFileSync(`/proc/${pid}/stat`, 'utf8'), '');
  return text === '' || /^\) [ZX] /.test(text.slice(text.lastIndexOf(')')));
}
