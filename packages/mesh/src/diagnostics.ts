import { type Channel, channel, type TracingChannel, tracingChannel } from 'node:diagnostics_channel';

/** Traced on `quorate.mesh.request`. Bodies, values, tokens and headers are not part of it; the operation names its key. */
export interface TracedRequest {
  readonly operation: string;
  readonly path: string;
  readonly address: string;
}

/** Published on `quorate.mesh.instance`. */
export interface InstanceEvent {
  readonly id: string;
  readonly event: 'registered' | 'registered-again' | 'maintenance' | 'deregistered' | 'failed';
  readonly error?: unknown;
}

/** Published on `quorate.mesh.watch`. */
export interface WatchEvent {
  readonly watched: string;
  readonly event: 'changed' | 'failed' | 'index-reset';
  readonly error?: unknown;
}

/** Published on `quorate.mesh.sidecar`. */
export interface SidecarEvent {
  readonly proxyId: string;
  readonly event: 'starting' | 'ready' | 'died' | 'draining' | 'stopped' | 'log';
  /** A line that Envoy logged. */
  readonly line?: string;
}

export const requests: TracingChannel<TracedRequest, TracedRequest> = tracingChannel<TracedRequest, TracedRequest>(
  'quorate.mesh.request',
);
export const instanceEvents: Channel<unknown, InstanceEvent> = channel('quorate.mesh.instance');
export const watchEvents: Channel<unknown, WatchEvent> = channel('quorate.mesh.watch');
export const sidecarEvents: Channel<unknown, SidecarEvent> = channel('quorate.mesh.sidecar');
