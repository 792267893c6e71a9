import { createHash } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { checkNames, InvalidArgumentError } from '@quorate/core';
import { BundleFailedError } from '../errors/bundle-failed-error.ts';
import { besides, encodedFailures } from '../payloads/data-converter.ts';

export interface BundleOptions {
  /** A file that exports the workflows: TypeScript or JavaScript. */
  readonly workflowsPath: string | URL;
  /** Where to write it. Default: nowhere. */
  readonly out?: string | URL;
  /** Whether it is for workers with codecs: then what errors say goes through them too. Default false. */
  readonly codecs?: boolean;
  /** Modules with interceptors of your own. */
  readonly interceptors?: readonly string[];
}

/** Workflows, made into what a worker runs. */
export interface Bundle {
  readonly code: string;
  /** The same for the same code: two workers that differ in it run different workflows. */
  readonly hash: string;
}

const mark = '// @quorate/workflow ';
const inside = besides('../inside/interceptors');
const fromSource = import.meta.url.endsWith('.ts');

/**
 * Makes workflows into what a worker runs, so that it needs neither their sources nor the time to do so when it starts.
 *
 *     await bundle({ workflowsPath: 'src/workflows.ts', out: 'dist/workflows.js' });
 *     const worker = await workflows.worker({ bundle: 'dist/workflows.js', activities });
 */
export async function bundle(options: BundleOptions): Promise<Bundle> {
  const { workflowsPath, out, codecs, interceptors } = checkOptions(options);
  const { bundleWorkflowCode } = await import('@temporalio/worker');
  const said: string[] = [];
  const hear = (message: string): void => void said.push(message);
  const deaf = (): void => {};
  const logger = { log: deaf, trace: deaf, debug: deaf, info: deaf, warn: deaf, error: hear };
  let code: string;
  try {
    ({ code } = await bundleWorkflowCode({
      workflowsPath,
      workflowInterceptorModules: [inside, ...interceptors],
      logger,
      ...(codecs && { failureConverterPath: encodedFailures }),
      webpackConfigHook: (config) => ({
        ...config,
        // Our own packages as they are here: sources, where this is one.
        resolve: { ...config.resolve, conditionNames: [...(fromSource ? ['@quorate/source'] : []), '...'] },
      }),
    }));
  } catch (error) {
    throw new BundleFailedError(workflowsPath, whyOf(error, said), { cause: error });
  }
  const whole = `${mark}${JSON.stringify({ codecs })}\n${code}`;
  if (out !== undefined) await writeWhole(out, whole);
  return { code: whole, hash: hashOf(whole) };
}

/** A bundle from its file. */
export async function readBundle(path: string | URL): Promise<Bundle> {
  let code: string;
  try {
    code = await readFile(path, 'utf8');
  } catch (error) {
    throw new InvalidArgumentError('bundle', `a file that can be read (${(error as Error).message})`, String(path));
  }
  if (!code.startsWith(mark))
    throw new InvalidArgumentError('bundle', 'a file that was made by bundle()', String(path));
  return { code, hash: hashOf(code) };
}

/** Whether it was made for workers with codecs. */
export function isForCodecs({ code }: Bundle): boolean {
  const [first = ''] = code.split('\n', 1);
  return (JSON.parse(first.slice(mark.length)) as { codecs: boolean }).codecs;
}

function hashOf(code: string): string {
  return createHash('sha256').update(code).digest('hex').slice(0, 12);
}

/** Nobody reads half of it. */
async function writeWhole(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`;
  await writeFile(draft, text);
  await rename(draft, path);
}

/** In a few lines: which module may not be imported, or what the compiler says. */
function whyOf(error: unknown, said: readonly string[]): string {
  const message = error instanceof Error ? error.message : String(error);
  const told = said.map((one) => stripVTControlCharacters(one)).join('\n');
  const forbidden = [
    ...[...message.matchAll(/^ {2}- '(.+)'$/gm)].map(([, module]) => module),
    // As Node's own modules are told when they are imported with their prefix.
    ...[...told.matchAll(/Reading from "(node:[^"]+)"/g)].map(([, module]) => module),
  ];
  if (forbidden.length > 0)
    return `a workflow must not import ${[...new Set(forbidden)].join(', ')}; move what needs it to an activity, and import that by "import type"`;
  const lines = told
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^(ERROR in|Module not found|Error:|[×x] |SyntaxError)|can't resolve|parse failed/i.test(line));
  return [...new Set(lines)].slice(0, 5).join('; ') || message;
}

function checkOptions(options: BundleOptions): {
  readonly workflowsPath: string;
  readonly out: string | undefined;
  readonly codecs: boolean;
  readonly interceptors: readonly string[];
} {
  checkNames('options', options, ['workflowsPath', 'out', 'codecs', 'interceptors']);
  const { workflowsPath, out, codecs = false, interceptors = [] } = options;
  if (typeof codecs !== 'boolean') throw new InvalidArgumentError('codecs', 'true or false', codecs);
  if (!Array.isArray(interceptors)) throw new InvalidArgumentError('interceptors', 'a list of modules', interceptors);
  return {
    workflowsPath: checkPath('workflowsPath', workflowsPath),
    out: out === undefined ? undefined : checkPath('out', out),
    codecs,
    interceptors,
  };
}

export function checkPath(name: string, path: unknown): string {
  if (path instanceof URL && path.protocol === 'file:') return fileURLToPath(path);
  if (typeof path === 'string' && path !== '' && !path.startsWith('file:')) return path;
  throw new InvalidArgumentError(name, 'the path of a file, or its file: URL', path);
}
