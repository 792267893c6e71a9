import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../src/quorate.ts', import.meta.url));

export interface Running extends ChildProcess {
  /** What it has printed until now. */
  readonly printed: () => string;
  readonly complained: () => string;
}

export interface Outcome {
  readonly status: number | string;
  readonly out: string;
  readonly err: string;
}

/** Starts the command as a person would, without a terminal. */
export function quorate(args: readonly string[], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, ['--conditions=@quorate/source', program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (err += text));
  return Object.assign(child, { printed: () => out, complained: () => err });
}

export async function outcome(child: Running): Promise<Outcome> {
  const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { status: status ?? signal ?? 'unknown', out: child.printed(), err: child.complained() };
}

export function run(args: readonly string[], env?: Record<string, string>): Promise<Outcome> {
  return outcome(quorate(args, env));
}
