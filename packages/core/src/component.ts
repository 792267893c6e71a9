import type { Health } from './health.ts';

/** A part of a running service: started in order, asked how it is, stopped in reverse. */
export interface Component {
  readonly name: string;
  /** Resolves when the component is ready for use. When `signal` aborts it rejects, with nothing left running. */
  start(signal: AbortSignal): Promise<void>;
  /** Resolves when nothing of it is left. May be called twice, and without a `start`. */
  stop(): Promise<void>;
  health?(): Health;
}
