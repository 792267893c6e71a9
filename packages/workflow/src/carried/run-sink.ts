import type { Sinks } from '@temporalio/workflow';

/** By what a run tells its worker that it has ended: for traces, which cannot be written from inside. */
export interface RunSinks extends Sinks {
  quorate: {
    ended(run: {
      readonly outcome: string;
      readonly started: number;
      readonly ended: number;
      readonly trace: Readonly<Record<string, string>>;
    }): void;
  };
}
