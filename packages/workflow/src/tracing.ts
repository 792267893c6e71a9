import { around } from '@quorate/core';

/** What is about to be asked of Temporal. */
export interface Sending {
  readonly operation: 'start' | 'signal' | 'query' | 'update';
  /** Of the workflow, or of the signal, query or update. */
  readonly type: string;
  readonly id: string;
}

/** An activity that is about to be done. */
export interface Handling {
  readonly activity: string;
  readonly id: string;
  readonly runId: string;
  readonly workflow: string;
  readonly attempt: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** A run of a workflow that has ended. */
export interface EndedRun {
  readonly workflow: string;
  readonly id: string;
  readonly runId: string;
  readonly outcome: 'completed' | 'failed' | 'continued-as-new';
  readonly started: Date;
  readonly ended: Date;
  readonly headers: Readonly<Record<string, string>>;
}

/** What goes around calls and activities, so that both are seen as parts of one whole. That of OpenTelemetry is made by `@quorate/workflow/opentelemetry`. */
export interface Tracing {
  /** `add` adds a header, which goes into the workflow and on to its activities; it is of use before `work` is called. */
  send<Result>(call: Sending, add: (name: string, text: string) => void, work: () => Promise<Result>): Promise<Result>;
  handle<Result>(activity: Handling, work: () => Promise<Result>): Promise<Result>;
  /** Of workflows that were started traced. Once for each run, as a rule; twice when a worker dies in between. */
  ended?(run: EndedRun): void;
}

/** The same, whatever goes wrong in it: the work is done all the same, once. */
export function harmless(tracing: Tracing): Tracing {
  const ended = tracing.ended?.bind(tracing);
  return {
    send: (call, add, work) => around((once) => tracing.send(call, add, once), work),
    handle: (activity, work) => around((once) => tracing.handle(activity, once), work),
    ...(ended !== undefined && {
      ended: (run) => {
        try {
          ended(run);
        } catch {
          // A trace is not worth a workflow.
        }
      },
    }),
  };
}
