import { checkNames, type Duration, duration, InvalidArgumentError } from '@quorate/core';
import { text, whole } from '../workflows-options.ts';
import { checkPath } from './bundle.ts';

/** Anything by which at most one leads: an election of `@quorate/coordination`, for example. */
export interface Leadership {
  /** Calls `work` each time this process leads, until `signal` aborts. */
  lead(
    work: (lease: { readonly token: bigint; readonly signal: AbortSignal }) => Promise<void>,
    options: { readonly signal: AbortSignal },
  ): Promise<void>;
}

/** For workers of which several versions run at a time: the server gives each workflow to a worker of its version. Which one gets new workflows is said by `workflows.useVersion`. */
export interface WorkerVersion {
  readonly deployment: string;
  readonly build: string;
  /** `pinned`: a workflow stays with the version that began it. `auto-upgrade`: it goes on with the newest. */
  readonly behavior: 'pinned' | 'auto-upgrade';
}

export interface WorkerOptions {
  /** A file that exports workflows: it is bundled when the worker starts. */
  readonly workflowsPath?: string | URL;
  /** The file of a bundle, made by `bundle()`. */
  readonly bundle?: string | URL;
  /** Functions by their names. */
  readonly activities?: object;
  /** Modules with interceptors of your own, with `workflowsPath`. */
  readonly interceptors?: readonly string[];
  readonly taskQueue?: string;
  /** How many activities may run at a time. Default 100. */
  readonly concurrency?: number;
  /** How many workflows are kept in memory. Default: as the memory allows. */
  readonly cachedWorkflows?: number;
  /** How long `stop` waits for activities. Then they are told to stop, and go to other workers. Default 10 s. */
  readonly drain?: Duration;
  /** It works only while this process leads. Its activities get the lease's token, and its signal. */
  readonly election?: Leadership;
  readonly version?: WorkerVersion;
  /** The name of the component. Default `worker`. */
  readonly name?: string;
  readonly signal?: AbortSignal;
}

export interface WorkerSettings {
  readonly workflowsPath: string | undefined;
  readonly bundle: string | undefined;
  readonly activities: Readonly<Record<string, unknown>>;
  readonly interceptors: readonly string[];
  readonly taskQueue: string;
  readonly concurrency: number;
  readonly cachedWorkflows: number | undefined;
  readonly drain: number;
  readonly election: Leadership | undefined;
  readonly version: WorkerVersion | undefined;
  readonly name: string;
}

const names = [
  'workflowsPath',
  'bundle',
  'activities',
  'interceptors',
  'taskQueue',
  'concurrency',
  'cachedWorkflows',
  'drain',
  'election',
  'version',
  'name',
  'signal',
];

export function checkWorkerOptions(options: WorkerOptions, taskQueue: string): WorkerSettings {
  checkNames('options', options, names);
  const { workflowsPath, bundle, activities = {}, interceptors = [], concurrency = 100, cachedWorkflows } = options;
  const { drain = '10s', election, version, name = 'worker' } = options;
  if (workflowsPath !== undefined && bundle !== undefined)
    throw new InvalidArgumentError('bundle', 'either workflowsPath or bundle, not both');
  const functions = checkActivities(activities);
  if (workflowsPath === undefined && bundle === undefined && Object.keys(functions).length === 0)
    throw new InvalidArgumentError('options', 'workflowsPath, bundle or activities: a worker needs something to do');
  if (!Array.isArray(interceptors)) throw new InvalidArgumentError('interceptors', 'a list of modules', interceptors);
  if (election !== undefined && typeof (election as Partial<Leadership> | null)?.lead !== 'function')
    throw new InvalidArgumentError('election', 'an election: an object with lead', election);
  return {
    workflowsPath: workflowsPath === undefined ? undefined : checkPath('workflowsPath', workflowsPath),
    bundle: bundle === undefined ? undefined : checkPath('bundle', bundle),
    activities: functions,
    interceptors,
    taskQueue: text('taskQueue', options.taskQueue ?? taskQueue),
    concurrency: whole('concurrency', concurrency, 1, 100_000),
    cachedWorkflows:
      cachedWorkflows === undefined ? undefined : whole('cachedWorkflows', cachedWorkflows, 0, 1_000_000),
    drain: duration(drain, { name: 'drain', most: 24 * 3_600_000 }),
    election,
    version: version === undefined ? undefined : checkVersion(version),
    name: text('name', name),
  };
}

/** A module's other exports are left out: constants and classes may stand beside the functions. */
function checkActivities(activities: unknown): Readonly<Record<string, unknown>> {
  if (typeof activities !== 'object' || activities === null || Array.isArray(activities))
    throw new InvalidArgumentError('activities', 'an object of functions', activities);
  return Object.fromEntries(Object.entries(activities).filter(([, value]) => typeof value === 'function'));
}

function checkVersion(version: WorkerVersion): WorkerVersion {
  checkNames('version', version, ['deployment', 'build', 'behavior']);
  const { deployment, build, behavior } = version;
  if (behavior !== 'pinned' && behavior !== 'auto-upgrade')
    throw new InvalidArgumentError('version.behavior', '"pinned" or "auto-upgrade"', behavior);
  // The server joins the two by a dot.
  const name = text('version.deployment', deployment);
  if (name.includes('.')) throw new InvalidArgumentError('version.deployment', 'text without dots', name);
  return { deployment: name, build: text('version.build', build), behavior };
}
