import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkNames, InvalidArgumentError } from '@quorate/core';
import type { PayloadCodec } from '@temporalio/common';
import { sharedRuntime } from '../connection/runtime.ts';
import { dataConverter } from '../payloads/data-converter.ts';
import { bundle, checkPath, readBundle } from '../worker/bundle.ts';

export interface ReplayOptions {
  readonly workflowsPath?: string | URL;
  /** The file of a bundle, in its place. */
  readonly bundle?: string | URL;
  /** A folder with files of JSON, as `run.history()` gives it; or what is in them, by their names. */
  readonly histories: string | URL | Readonly<Record<string, string>>;
  readonly codecs?: readonly PayloadCodec[];
  /** Modules with interceptors of your own, with `workflowsPath`. */
  readonly interceptors?: readonly string[];
}

export interface Replayed {
  readonly name: string;
  /** Why the code does not fit the history: a workflow of that time would get stuck with it. */
  readonly error?: string;
}

/**
 * Whether workflows as they are now can go on with what others have begun: each history is gone through again. Needs no server.
 *
 *     const failed = (await replay({ workflowsPath, histories: 'test/histories' })).filter(({ error }) => error);
 */
export async function replay(options: ReplayOptions): Promise<Replayed[]> {
  checkNames('options', options, ['workflowsPath', 'bundle', 'histories', 'codecs', 'interceptors']);
  const { workflowsPath, bundle: path, histories, codecs = [], interceptors = [] } = options;
  if ((workflowsPath === undefined) === (path === undefined))
    throw new InvalidArgumentError('workflowsPath', 'to be given, or bundle, and not both', workflowsPath);
  const given = await read(histories);
  const { code } =
    path === undefined
      ? await bundle({ workflowsPath: workflowsPath as string | URL, codecs: codecs.length > 0, interceptors })
      : await readBundle(path);
  const { Worker } = await sharedRuntime();
  const results: Replayed[] = [];
  const replayed = Worker.runReplayHistories(
    { workflowBundle: { code }, dataConverter: dataConverter({ codecs, maxPayloadBytes: Infinity }, 'worker') },
    given.map(({ name, history }) => ({ workflowId: name, history })),
  );
  for await (const { workflowId, error } of replayed)
    results.push({ name: workflowId, ...(error !== undefined && { error: error.message }) });
  return results;
}

async function read(
  histories: ReplayOptions['histories'],
): Promise<{ readonly name: string; readonly history: unknown }[]> {
  if (typeof histories === 'object' && histories !== null && !(histories instanceof URL))
    return Object.entries(histories).map(([name, text]) => ({ name, history: parsed(name, text) }));
  const folder = checkPath('histories', histories);
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).sort();
  if (files.length === 0) throw new InvalidArgumentError('histories', 'a folder with histories in JSON', folder);
  return await Promise.all(
    files.map(async (name) => ({ name, history: parsed(name, await readFile(join(folder, name), 'utf8')) })),
  );
}

function parsed(name: string, text: unknown): unknown {
  try {
    return JSON.parse(text as string) as unknown;
  } catch {
    throw new InvalidArgumentError(`histories "${name}"`, 'JSON, as run.history() gives it');
  }
}
