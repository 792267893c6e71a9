import type { Launcher } from './warden.ts';

/** In the folder of a server: TMPDIR for it, unless its plan has another name. */
export const temporaryFolder = 'tmp';

/** How one server is run. */
export interface ServerPlan {
  /** Unique in its bed: `zookeeper-1`. */
  readonly name: string;
  /** Where clients reach it: `127.0.0.1:2181`. */
  readonly address: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where it runs; in its own folder by default. */
  readonly cwd?: string;
  /** In its folder: TMPDIR for it. */
  readonly temporary?: string;
  /** The TCP ports it listens on; free before it starts. */
  readonly ports: readonly number[];
  /** Written into its folder before the first start, by path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Done once, after the files are written: formatting. */
  readonly prepare?: (folder: string, launcher: Launcher, signal: AbortSignal) => Promise<void>;
  /** Asks the server, by its own protocol, whether it serves. Throws or gives false when it does not yet. */
  readonly ready: (signal: AbortSignal) => Promise<boolean>;
  /** What asks it to end. Default SIGTERM. */
  readonly stopSignal?: 'SIGTERM' | 'SIGINT';
  /** How long it may take to become ready, in milliseconds. */
  readonly startWithin?: number;
}
