import type { Output } from '../shell.ts';

/** Where something is shown again and again: a page that is drawn anew, or a line for each time. */
export class Screen {
  readonly #out: Output;
  readonly #kind: 'page' | 'lines';
  #shown: string | undefined;

  constructor(kind: 'page' | 'lines', out: Output) {
    this.#kind = kind;
    this.#out = out;
  }

  /** The same once more is not shown. */
  show(text: string): void {
    if (text === this.#shown) return;
    const first = this.#shown === undefined;
    this.#shown = text;
    if (this.#kind === 'lines') this.#out.write(`${text}\n`);
    else if (this.#out.isTTY) this.#out.write(`${first ? '\x1b[2J' : ''}\x1b[H\x1b[J${this.#fitting(text)}\n`);
    else this.#out.write(`${first ? '' : '\n'}${text}\n`);
  }

  /** What does not fit on the screen would scroll, and the next page would begin in the middle of it. */
  #fitting(text: string): string {
    const { columns = 80, rows = 24 } = this.#out;
    const lines = text.split('\n').map((line) => line.slice(0, columns));
    if (lines.length < rows) return lines.join('\n');
    const room = Math.max(1, rows - 2);
    return [...lines.slice(0, room), `… ${lines.length - room} more lines`].join('\n');
  }
}
