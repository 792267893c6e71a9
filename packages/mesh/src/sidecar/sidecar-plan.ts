import type { Bootstrap } from './bootstrap.ts';

/** How an Envoy is run beside an instance. */
export interface SidecarPlan {
  readonly service: string;
  readonly upstreams: readonly string[];
  readonly program: string;
  /** With the Unix socket where Envoy is to be administered. */
  readonly bootstrap: (socket: string) => Bootstrap;
  /** The one in the bootstrap. */
  readonly token: string | undefined;
  /** How long it may take to become ready, in milliseconds. */
  readonly startWithin: number;
  /** How long requests on their way may take when it stops, in milliseconds. */
  readonly drain: number;
  /** How long connections may live on when their configuration has changed, in milliseconds. */
  readonly grace: number;
  readonly concurrency: number;
  readonly logLevel: string;
}
