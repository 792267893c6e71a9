import { AsyncLocalStorage } from 'node:async_hooks';
import type { WorkflowClientInterceptor } from '@temporalio/client';
import type { Headers } from '@temporalio/common';
import { type Carried, withCarried } from '../carried/headers.ts';
import type { Sending, Tracing } from '../tracing.ts';

/** What goes with the call that is being made. The library has no other way to give headers to one call. */
const going = new AsyncLocalStorage<Carried>();

const loaded = <Input extends { readonly headers: Headers }>(input: Input): Input => {
  const carried = going.getStore();
  return carried === undefined ? input : { ...input, headers: withCarried(input.headers, carried) };
};

export const carrying: WorkflowClientInterceptor = {
  startWithDetails: (input, next) => next(loaded(input)),
  signal: (input, next) => next(loaded(input)),
  signalWithStart: (input, next) => next(loaded(input)),
  query: (input, next) => next(loaded(input)),
  startUpdate: (input, next) => next(loaded(input)),
};

/** Makes a call with what goes with it, traced. */
export async function sent<Result>(
  tracing: Tracing | undefined,
  call: Sending,
  { token }: { readonly token?: bigint | undefined },
  work: () => Promise<Result>,
): Promise<Result> {
  const own: Carried = token === undefined ? {} : { token: String(token) };
  if (tracing === undefined) return await (token === undefined ? work() : going.run(own, work));
  const trace: Record<string, string> = {};
  const add = (name: string, text: string): void => {
    trace[name] = text;
  };
  return await tracing.send(call, add, () => going.run({ ...own, trace }, work));
}
