import { execFile } from 'node:child_process';
import { access, constants, readdir, realpath, stat } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import type { ProgramPin } from './lock.ts';
import { compareVersions } from './version.ts';

/** What was found at a place: a program that will do, or why it will not. */
export type Finding = { readonly path: string; readonly version: string } | { readonly why: string };

/** Looks at a program that somebody named: an executable, or a folder of jars. */
export async function lookAt(path: string, pin: ProgramPin): Promise<Finding> {
  const version = pin.versionArguments.length > 0 ? await askedVersion(path, pin) : await jarVersion(path, pin);
  if (version === undefined)
    return { why: `${path} does not print its version as ${pin.command || 'its jars'} should` };
  if (compareVersions(version, pin.atLeast) < 0)
    return { why: `${path} is ${version}, too old: ${pin.atLeast} or newer is needed` };
  return { path, version };
}

/** Looks for a program on PATH; for a Java server, for the jars beside its start script. */
export async function lookOnPath(pin: ProgramPin): Promise<Finding> {
  const missing = { why: `PATH has no ${pin.command || 'program for it'}` };
  if (pin.command === '') return missing;
  const found: string[] = [];
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const candidate = join(folder, pin.command);
    if (folder !== '' && (await isExecutable(candidate))) found.push(candidate);
  }
  let last: Finding = missing;
  for (const candidate of found) {
    last = pin.versionArguments.length > 0 ? await lookAt(candidate, pin) : await lookAtJarsBeside(candidate, pin);
    if ('path' in last) return last;
  }
  return last;
}

/** The program that a shell would run, as an absolute path: found on PATH, or where a path leads. */
export async function findCommand(command: string): Promise<string | undefined> {
  const folders = command.includes('/') ? ['.'] : (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  for (const folder of folders) {
    const candidate = resolve(folder, command);
    if ((await isExecutable(candidate)) && (await stat(candidate)).isFile()) return candidate;
  }
  return undefined;
}

async function lookAtJarsBeside(script: string, pin: ProgramPin): Promise<Finding> {
  const home = dirname(dirname(await realpath(script)));
  for (const folder of ['lib', 'libs', 'jars', 'libexec/lib', 'libexec/libs', 'libexec/jars']) {
    const finding = await lookAt(join(home, folder), pin);
    if ('path' in finding || finding.why.includes('too old')) return finding;
  }
  return { why: `${script} is on PATH, but its jars are not in ${home}` };
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function askedVersion(path: string, pin: ProgramPin): Promise<string | undefined> {
  const answer = await new Promise<string>((resolve) => {
    execFile(path, [...pin.versionArguments], { timeout: 20_000, maxBuffer: 1024 * 1024 }, (_error, out, err) => {
      resolve(`${out}\n${err}`);
    });
  });
  return new RegExp(pin.versionPattern).exec(answer)?.[1];
}

async function jarVersion(folder: string, pin: ProgramPin): Promise<string | undefined> {
  for (const name of await readdir(folder).catch(() => [])) {
    const version = new RegExp(`^${pin.versionPattern}$`).exec(name)?.[1];
    if (version !== undefined) return version;
  }
  return undefined;
}
