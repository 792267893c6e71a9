import type { History } from '../history/history.ts';
import type { Fault } from './faults.ts';

/**
 * A fault as a history has it. A check excuses what happened while it was broken, so what is recorded is never longer
 * than what was broken for certain: it begins once that is done, and a pause ends before the process may continue.
 */
export class FaultRecord {
  readonly #history: History;
  readonly #kind: string;
  readonly #fault: Fault;
  #open: { end(): void } | undefined;

  constructor(history: History, kind: string, fault: Fault) {
    this.#history = history;
    this.#kind = kind;
    this.#fault = fault;
  }

  begin(): void {
    this.#open = this.#history.fault(this.#kind, this.#fault.target, this.#fault.detail);
  }

  ending(): void {
    if (this.#kind === 'pause') this.#open?.end();
  }

  ended(): void {
    this.#open?.end();
  }
}
