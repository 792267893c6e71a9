import { channel } from 'node:diagnostics_channel';
import { IllegalStateError } from '@temporalio/common';
import type { LogEntry } from '@temporalio/worker';

/** What the library of Temporal logs is published on `quorate.workflow.log`. */
const logs = channel('quorate.workflow.log');
let quiet = false;

/**
 * The part of the library that is shared by all workers of a process. As it comes it writes to standard error, and stops all workers on SIGTERM
 * by itself. An application that has installed one of its own keeps it.
 */
export async function sharedRuntime(): Promise<typeof import('@temporalio/worker')> {
  const library = await import('@temporalio/worker');
  if (quiet) return library;
  quiet = true;
  try {
    const logger = new library.DefaultLogger('INFO', (entry: LogEntry) => logs.publish(entry));
    // Of its native part too, which would write by itself.
    const telemetryOptions = { logging: { filter: library.makeTelemetryFilterString({ core: 'WARN' }), forward: {} } };
    library.Runtime.install({ logger, telemetryOptions, shutdownSignals: [] });
  } catch (error) {
    if (!(error instanceof IllegalStateError)) throw error;
  }
  return library;
}
