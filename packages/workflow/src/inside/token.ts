import type { Headers } from '@temporalio/common';
import { type Carried, carriedBy } from '../carried/headers.ts';

// A module is loaded anew for each run of a workflow: this is of one run.
let carried: Carried = {};

/** Takes what the run was started with. Called once, before the workflow's own code. */
export function receive(headers: Headers): void {
  carried = carriedBy(headers);
}

/** The fencing token that the run was started with. It goes on into its activities, its children, and the runs that continue it. */
export function token(): bigint | undefined {
  return carried.token === undefined ? undefined : BigInt(carried.token);
}

/** What the run is to undo, as a child that undoes a step. */
export function undoesFromParent(): readonly string[] | undefined {
  return carried.undoes;
}

/** What goes on from the run, to all that it asks for. */
export function carriedOn(): Pick<Carried, 'token' | 'trace'> {
  const { token, trace } = carried;
  return { ...(token !== undefined && { token }), ...(trace !== undefined && { trace }) };
}
