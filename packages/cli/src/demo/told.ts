import { styleText } from 'node:util';
import type { Output } from '../shell.ts';

/** How wide the column of the names is. */
const nameWidth = 14;

/** A story as it is told on a terminal, with the seconds since it began. */
export class Told {
  readonly #begin = performance.now();
  readonly #out: Output;

  constructor(out: Output) {
    this.#out = out;
  }

  readonly scene = (title: string, why: string): void => {
    this.#line(`\n${styleText('bold', title, { stream: this.#out })}\n${why}`);
  };

  readonly tell = (who: string, what: string): void => {
    const seconds = ((performance.now() - this.#begin) / 1_000).toFixed(2);
    this.#line(`  ${seconds.padStart(6)} s  ${who.padEnd(nameWidth)}  ${what}`);
  };

  #line(text: string): void {
    this.#out.write(`${text}\n`);
  }
}
