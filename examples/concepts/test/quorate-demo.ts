import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Row } from '@quorate/concepts';
import type { Verdict } from '@quorate/testbed';
import { afterAll } from 'vitest';

const program = fileURLToPath(new URL('../../../packages/cli/src/quorate.ts', import.meta.url));

/** Where the demos of these tests make their beds, each in a folder of its own. */
let temporary = '';

/** For each file by itself: those that run in one process share this module. */
export function inOwnFolder(): void {
  temporary = mkdtempSync(join(tmpdir(), 'quorate-test-'));
  const folder = temporary;
  afterAll(() => rm(folder, { recursive: true, force: true }));
}

export interface Playing extends ChildProcess {
  /** What it has told until now. */
  readonly told: () => string;
  /** Its temporary folder. */
  readonly folder: string;
}

/** Starts a demo as a person would: `quorate demo …`. */
export function start(...args: readonly string[]): Playing {
  const folder = mkdtempSync(join(temporary, 'demo-'));
  const child = spawn(process.execPath, ['--conditions=@quorate/source', program, 'demo', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder },
  });
  let told = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (told += text));
  return Object.assign(child, { told: () => told, folder });
}

/** A file beside the folders of the demos. */
export function fileFor(name: string): string {
  return join(temporary, name);
}

/** What a demo has left in its temporary folder: nothing, once it has ended. */
export async function leftBy({ folder }: Pick<Playing, 'folder'>): Promise<string[]> {
  return await readdir(folder);
}

export interface Ended {
  readonly status: number | string;
  readonly told: string;
}

export async function end(child: Playing): Promise<Ended> {
  const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { status: status ?? signal ?? 'unknown', told: child.told() };
}

export interface Report {
  readonly seed: number;
  readonly passed: boolean;
  readonly rows: readonly Row[];
  readonly verdicts: readonly Verdict[];
}

/** Plays it to its end, as a program would: the exit status, what `--json` says, and what it has left. */
export async function play(
  ...args: readonly string[]
): Promise<{ status: number | string; report: Report; left: string[] }> {
  const child = start(...args, '--json');
  const { status, told } = await end(child);
  return { status, report: JSON.parse(told) as Report, left: await leftBy(child) };
}
