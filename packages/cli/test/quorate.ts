import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '@quorate/testbed';
import { afterAll } from 'vitest';
import { main } from '../src/main.ts';

/** Where the commands of these tests make their beds: what else goes on on this machine is not seen. */
export let temporary = '';

/** For each file by itself: those that run in one process share this module. */
export function inOwnFolder(): void {
  temporary = mkdtempSync(join(tmpdir(), 'quorate-test-'));
  const folder = temporary;
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
}

/** The beds there are. */
export async function beds(): Promise<string[]> {
  return (await readdir(temporary)).sort();
}

const program = fileURLToPath(new URL('../src/quorate.ts', import.meta.url));

export interface Running extends ChildProcess {
  /** What it has printed until now. */
  readonly printed: () => string;
  readonly complained: () => string;
  /** Settles also for those who ask when it has ended already. */
  readonly ended: Promise<[status: number | null, signal: string | null]>;
}

export interface Outcome {
  readonly status: number | string;
  readonly out: string;
  readonly err: string;
}

/** Starts the command as a person would, without a terminal; as a job of a shell, with a process group of its own. */
export function quorate(args: readonly string[], env: Record<string, string> = {}, as?: 'job'): Running {
  const child = spawn(process.execPath, ['--conditions=@quorate/source', program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: temporary, ...env },
    detached: as === 'job',
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (err += text));
  const ended = once(child, 'close') as Running['ended'];
  return Object.assign(child, { printed: () => out, complained: () => err, ended });
}

export async function outcome(child: Running): Promise<Outcome> {
  const [status, signal] = await child.ended;
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

/** A cache with the same programs and no beds in it: what is up elsewhere on this machine stays out of the tests. */
export async function ownCache(): Promise<AsyncDisposable & { readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-test-'));
  await symlink(join(cacheFolder(), 'programs'), join(folder, 'programs'));
  const { QUORATE_CACHE: before } = process.env;
  process.env.QUORATE_CACHE = folder;
  return {
    folder,
    [Symbol.asyncDispose]: async () => {
      // What a test that failed has left up.
      await call(['down', '--all']);
      if (before === undefined) delete process.env.QUORATE_CACHE;
      else process.env.QUORATE_CACHE = before;
      await rm(folder, { recursive: true });
    },
  };
}
