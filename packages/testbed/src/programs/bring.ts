import type { Warden } from '../processes/warden.ts';
import type { Program } from './program.ts';
import type { Progress } from './progress.ts';

/** What a source is given to bring a program: a folder to fill, and who to ask for the tools it needs. */
export interface Bring {
  /** Becomes the program's folder in the cache. */
  readonly staging: string;
  readonly warden: Warden;
  readonly signal: AbortSignal | undefined;
  report(progress: Pick<Progress, 'step' | 'done' | 'total'>): void;
  /** Another program, found or brought in its turn: Java for Maven. */
  need(name: string): Promise<Program>;
}
