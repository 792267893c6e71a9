import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface Shown {
  readonly folder: string;
  readonly pids: number[];
  readonly ports: number[];
}

const testbed = new URL('../src/index.ts', import.meta.url).href;

/** A program of its own that imports the testbed: `body` may use `Testbed` and `show(bed)`, which tells us what it has. */
export function program(
  body: string,
  env: Record<string, string> = {},
): ChildProcess & { readonly shown: Promise<Shown>; readonly errors: () => string } {
  const source = `
    import { Testbed } from ${JSON.stringify(testbed)};
    const show = (bed) => console.log('BED ' + JSON.stringify({
      folder: bed.folder,
      pids: bed.servers.map(({ pid }) => pid),
      ports: bed.servers.map(({ address }) => Number(address.split(':')[1])),
    }));
    ${body}
  `;
  const child = spawn(process.execPath, ['--conditions=@quorate/source', '--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    detached: true,
  });
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text) => (errors += text));
  const shown = new Promise<Shown>((resolve, reject) => {
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      if (line.startsWith('BED ')) resolve(JSON.parse(line.slice(4)) as Shown);
    });
    child.once('close', () => reject(new Error(`the program ended before it showed its bed: ${errors}`)));
  });
  shown.catch(() => {});
  return Object.assign(child, { shown, errors: () => errors });
}

/** The exit status, or the signal that ended it. */
export async function ended(child: ChildProcess): Promise<number | string> {
  if (child.exitCode !== null) return child.exitCode;
  const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
  return status ?? signal ?? 'unknown';
}
