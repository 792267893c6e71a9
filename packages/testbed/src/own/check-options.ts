import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, normalize, sep } from 'node:path';
import { InvalidArgumentError } from '@quorate/core';
import { findCommand } from '../programs/present.ts';
import type { OwnServerOptions, Variables } from './own-options.ts';
import { parsePorts, type WantedPort } from './own-ports.ts';

const options = ['name', 'command', 'args', 'env', 'ports', 'ready', 'files', 'folder', 'cwd', 'startWithin'];

/** What was asked for, checked. */
export interface CheckedOptions {
  /** The program, as an absolute path. */
  readonly command: string;
  readonly wanted: readonly WantedPort[];
  readonly folder: string | undefined;
  readonly cwd: string | undefined;
}

/** Refuses what cannot be run, naming the option. `taken` are names that somebody in the bed has already. */
export async function checkOptions(given: OwnServerOptions, taken: readonly string[]): Promise<CheckedOptions> {
  checkObject('server', given);
  for (const option of Object.keys(given)) {
    if (!options.includes(option))
      throw new InvalidArgumentError('server', `one of the options ${options.join(', ')}`, option);
  }
  const { name, args = [], env = {}, ports = 1, ready, files = {}, startWithin = 60_000 } = given;
  if (typeof name !== 'string' || !/^[A-Za-z0-9][\w.-]{0,99}$/.test(name))
    throw new InvalidArgumentError('name', 'a name: letters, digits, dots, hyphens and underscores', name);
  if (taken.includes(name)) throw new InvalidArgumentError('name', 'a name that is not used in this bed', name);
  const wanted = parsePorts(ports);
  if (typeof args !== 'function') checkArgs(args);
  if (typeof env !== 'function') checkEnv(env);
  if (typeof files !== 'function') checkFiles(files);
  checkReady(ready, wanted);
  if (!(Number.isFinite(startWithin) && startWithin > 0))
    throw new InvalidArgumentError('startWithin', 'a number of milliseconds above 0', startWithin);
  const folder = await existingFolder('folder', given.folder);
  const cwd = await existingFolder('cwd', given.cwd);
  return { command: await existingCommand(given.command), wanted, folder, cwd };
}

export function checkArgs(args: unknown): void {
  if (!Array.isArray(args) || !args.every((word) => typeof word === 'string'))
    throw new InvalidArgumentError('args', 'a list of strings, or a function that returns one', args);
}

/** Values are not shown: they may be secrets. */
export function checkEnv(env: unknown): asserts env is Variables {
  checkObject('env', env);
  for (const [name, value] of Object.entries(env as object)) {
    if (value !== undefined && typeof value !== 'string') throw new InvalidArgumentError(`env.${name}`, 'a string');
  }
}

export function checkFiles(files: unknown): void {
  checkObject('files', files);
  for (const [path, content] of Object.entries(files as object)) {
    const inside = normalize(path);
    if (path === '' || path.endsWith('/') || isAbsolute(path) || inside === '..' || inside.startsWith(`..${sep}`))
      throw new InvalidArgumentError('files', "paths inside the server's folder", path);
    if (typeof content !== 'string') throw new InvalidArgumentError(`files.${path}`, 'the content as a string');
  }
}

function checkReady(ready: unknown, ports: readonly WantedPort[]): void {
  if (typeof ready === 'function') return;
  if (!isProbe(ready)) {
    const expected = "a function that checks the server, { http: '/path' }, { tcp: true } or { log: /a line/ }";
    throw new InvalidArgumentError('ready', expected, ready);
  }
  if (ready.log) return;
  if (ports.length === 0)
    throw new InvalidArgumentError('ready', 'a function, or { log: /a line/ }: this server has no port', ready);
  const names = ports.map(({ name }) => name);
  if (ready.port !== undefined && !names.includes(String(ready.port)))
    throw new InvalidArgumentError('ready.port', `one of ${names.join(', ')}`, ready.port);
}

function isProbe(ready: unknown): ready is { readonly log?: RegExp; readonly port?: unknown } {
  if (typeof ready !== 'object' || ready === null) return false;
  const { http, tcp, log, port, ...others } = ready as Record<string, unknown>;
  if (Object.keys(others).length > 0) return false;
  if ([http, tcp, log].filter((way) => way !== undefined).length !== 1) return false;
  if (log !== undefined) return log instanceof RegExp && port === undefined;
  return tcp === true || (typeof http === 'string' && http.startsWith('/'));
}

function checkObject(argument: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InvalidArgumentError(argument, 'an object', value);
}

async function existingFolder(argument: string, path: unknown): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const there = typeof path === 'string' && (await stat(path).catch(() => undefined))?.isDirectory();
  if (!there) throw new InvalidArgumentError(argument, 'an existing folder', path);
  return realpath(path);
}

async function existingCommand(command: unknown): Promise<string> {
  const found = typeof command === 'string' && command !== '' ? await findCommand(command) : undefined;
  if (found === undefined)
    throw new InvalidArgumentError('command', 'a program on PATH, or the path of an executable file', command);
  return found;
}
