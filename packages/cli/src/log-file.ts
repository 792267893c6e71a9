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

  constructor(path: string) {
    this.#path = path;
  }

  get exists(): boolean {
    return existsSync(this.#path);
  }

  /** Its last lines, which need not be the last the server finishes: `more` goes on where this ends. */
  async last(lines: number): Promise<string[]> {
    this.#position = await this.#startOf(lines);
    return await this.more();
  }

  /** The lines that have been finished since. A file that has become shorter is read from its beginning. */
  async more(): Promise<string[]> {
    try {
      await using file = await open(this.#path);
      const { size } = await file.stat();
      if (size < this.#position) {
        this.#position = 0;
        this.#decoder = new StringDecoder('utf8');
        this.#unfinished = '';
      }
      let text = this.#unfinished;
      while (this.#position < size) {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(chunk), { position: this.#position });
        if (bytesRead === 0) break;
        this.#position += bytesRead;
        text += this.#decoder.write(buffer.subarray(0, bytesRead));
      }
      const lines = text.split('\n');
      this.#unfinished = lines.pop() ?? '';
      return lines;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  /** Where the last so many lines begin. */
  async #startOf(lines: number): Promise<number> {
    try {
      await using file = await open(this.#path);
      let { size: position } = await file.stat();
      // The last line ends with a newline as well.
      let left = lines + 1;
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
