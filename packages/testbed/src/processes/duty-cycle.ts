import { InvalidArgumentError } from '@quorate/core';

export interface Slowness {
  /** The share of the time that it runs, between 0 and 1. */
  readonly duty: number;
  /** How long one turn of running and standing still takes, in milliseconds. Default 200. */
  readonly period?: number;
}

/** Lets something run for a part of each period only, standing still first, until it is ended. */
export class DutyCycle {
  #timer: NodeJS.Timeout;

  constructor({ duty, period = 200 }: Slowness, turn: (runs: boolean) => void) {
    if (!(duty > 0 && duty < 1)) throw new InvalidArgumentError('duty', 'a share above 0 and below 1', duty);
    if (!(period >= 10 && period <= 60_000)) {
      throw new InvalidArgumentError('period', 'milliseconds from 10 to 60000', period);
    }
    const next = (runs: boolean): NodeJS.Timeout => {
      turn(runs);
      const after = (): void => {
        this.#timer = next(!runs);
      };
      return setTimeout(after, period * (runs ? duty : 1 - duty)).unref();
    };
    this.#timer = next(false);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
