import { type Channel, channel, type TracingChannel, tracingChannel } from 'node:diagnostics_channel';
import type { State } from './state.ts';

/** Published on `quorate.zookeeper.state`. */
export interface StateChange {
  readonly sessionId: bigint;
  readonly state: State;
  readonly server: string | undefined;
}

/** Traced on `quorate.zookeeper.request`. Data and credentials are not part of it. */
export interface TracedRequest {
  readonly operation: string;
  readonly path: string | undefined;
  readonly sessionId: bigint;
  readonly server: string | undefined;
}

/** Published on `quorate.zookeeper.watch`, with the path as the server has it. */
export interface WatchFired {
  readonly sessionId: bigint;
  readonly type: number;
  readonly path: string;
}

export const stateChanges: Channel<unknown, StateChange> = channel('quorate.zookeeper.state');
export const requests: TracingChannel<TracedRequest, TracedRequest> = tracingChannel<TracedRequest, TracedRequest>(
  'quorate.zookeeper.request',
);
export const watchesFired: Channel<unknown, WatchFired> = channel('quorate.zookeeper.watch');
