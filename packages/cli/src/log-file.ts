import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';

/** So much is read at a time. */
const chunk = 64 * 1024;

const newline = 10;

/** A log that a server writes to: its last lines, and then what is added. */
export class LogFile {
  readonly #path: string;
  /** What has been read so far ends here. */
  #position = 0;
  #decoder = new StringDecoder('utf8');
  #unfinished = '';
  /** When anything was last added, by `performance.now()`. */
  #grown = 0;

  constructor(path: string) {
    this.#path = path;
  }

  get exists(): boolean {
    return existsSync(this.#path);
  }

  /** The finished ones among its last lines: `more` and `unfinished` go on where this ends. */
  async last(lines: number): Promise<string[]> {
    this.#position = await this.#startOf(lines);
    return await this.more();
  }

  /** The lines that have been finished since. A file that is gone, or has become shorter, begins anew. */
  async more(): Promise<string[]> {
    try {
      await using file = await open(this.#path);
      const { size } = await file.stat();
      const before = size < this.#position ? this.#beginAnew() : [];
      let text = this.#unfinished;
      while (this.#position < size) {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(chunk), { position: this.#position });
        if (bytesRead === 0) break;
        this.#position += bytesRead;
        this.#grown = performance.now();
        text += this.#decoder.write(buffer.subarray(0, bytesRead));
      }
      const lines = text.split('\n');
      this.#unfinished = lines.pop() ?? '';
      return [...before, ...lines];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return this.#beginAnew();
      throw error;
    }
  }

  /**
   * The line that whoever died in the middle of it never finished, when nothing was added to it for so many milliseconds.
   * It is given once; what is added later is a line of its own.
   */
  unfinished(stillFor = 0): string[] {
    if (this.#unfinished === '' || performance.now() - this.#grown < stillFor) return [];
    const line = this.#unfinished;
    this.#unfinished = '';
    return [line];
  }

  #beginAnew(): string[] {
    this.#position = 0;
    this.#decoder = new StringDecoder('utf8');
    return this.unfinished();
  }

  /** Where the last so many lines begin. */
  async #startOf(lines: number): Promise<number> {
    try {
      await using file = await open(this.#path);
      let { size: position } = await file.stat();
      const { buffer: end } = await file.read(Buffer.alloc(1), { position: Math.max(0, position - 1) });
      // The last line ends with a newline as well, unless it is not finished.
      let left = lines > 0 && end[0] !== newline ? lines : lines + 1;
      while (position > 0) {
        const length = Math.min(chunk, position);
        position -= length;
        const { buffer } = await file.read(Buffer.alloc(length), { position });
        for (let index = length - 1; index >= 0; index -= 1) {
          if (buffer[index] !== newline) continue;
          left -= 1;
          if (left === 0) return position + index + 1;
        }
      }
      return 0;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
      throw error;
    }
  }
}
