import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { main } from '../src/main.ts';

/** Where the commands of these tests make their beds: what else goes on on this machine is not seen. */
const temporary = mkdtempSync(join(tmpdir(), 'quorate-test-'));
process.once('exit', () => rmSync(temporary, { recursive: true, force: true }));

/** The beds there are. */
export async function beds(): Promise<string[]> {
  return (await readdir(temporary)).sort();
}

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
    env: { ...process.env, TMPDIR: temporary, ...env },
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

/** The command in this process, where that is enough: no signal is sent to it, and it starts no server. */
export async function call(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  const [stdout, stderr] = [new Collected(), new Collected()];
  const status = await main(args, { stdout, stderr, env: { ...process.env, ...env } });
  return { status, out: stdout.text, err: stderr.text };
}

/** What is written, as text. */
export class Collected extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk;
    done();
  }
}
