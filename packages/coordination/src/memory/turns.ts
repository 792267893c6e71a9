// Imported, so that a test which replaces the global timers does not stop the servers.
import { setImmediate } from 'node:timers';

/** Does things later, in order: in each turn of the event loop what there was when it began. Between them nothing runs. */
export class Turns {
  #tasks: (() => void)[] = [];

  later(task: () => void): void {
    this.#tasks.push(task);
    if (this.#tasks.length === 1) setImmediate(() => this.#turn());
  }

  /** Resolves when it was done. */
  done(task: () => void): Promise<void> {
    return new Promise((resolve) => {
      this.later(() => {
        task();
        resolve();
      });
    });
  }

  #turn(): void {
    const tasks = this.#tasks;
    this.#tasks = [];
    for (const task of tasks) task();
  }
}
