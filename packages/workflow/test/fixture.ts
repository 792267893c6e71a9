import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { Workflows, type WorkflowsOptions } from '../src/index.ts';

/** Workflows at the shared server, under names of their own: what one test starts no other sees. */
export interface Bench extends AsyncDisposable {
  readonly taskQueue: string;
  readonly workflows: Workflows;
  /** One more client, as far as Temporal is concerned. */
  connect(options?: Partial<WorkflowsOptions>): Promise<Workflows>;
  /** An id that no other test has. */
  id(name: string): string;
}

export async function bench(address: string | undefined, options: Partial<WorkflowsOptions> = {}): Promise<Bench> {
  if (!address) throw new Error('there is no Temporal in the bed');
  const own = randomBytes(4).toString('hex');
  const taskQueue = `test-${own}`;
  const stack = new AsyncDisposableStack();
  const connect = async (more: Partial<WorkflowsOptions> = {}): Promise<Workflows> =>
    stack.use(await Workflows.connect({ address, taskQueue, ...options, ...more }));
  return {
    taskQueue,
    workflows: await connect(),
    connect,
    id: (name) => `${name}-${own}`,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Of the shared bed, for what is needed before a test begins. */
export function sharedTemporal(): string {
  const address = inject('quorateBed')?.QUORATE_TEMPORAL;
  if (!address) throw new Error('there is no Temporal in the shared bed');
  return address;
}

/** The workflows of a file in this folder. */
export function sources(name: string): URL {
  return new URL(`work/${name}.ts`, import.meta.url);
}
