import { constants } from 'node:os';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Somebody asked us to stop. Nothing is wrong; the exit status says by which signal. */
export class Interrupted extends Error {
  readonly exitStatus: number;

  constructor(signal: NodeJS.Signals) {
    super(`stopped by ${signal}`);
    this.name = 'Interrupted';
    this.exitStatus = 128 + constants.signals[signal];
  }
}

/** Aborts with `Interrupted` at Ctrl-C or a polite kill, until disposed. A second Ctrl-C ends the process at once. */
export function interruptible(): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const stop = (signal: NodeJS.Signals): void => {
    // Nothing is left behind even so: the warden sees that we are gone.
    if (controller.signal.aborted) process.exit(128 + constants.signals[signal]);
    controller.abort(new Interrupted(signal));
  };
  for (const signal of signals) process.on(signal, stop);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      for (const signal of signals) process.off(signal, stop);
    },
  };
}
