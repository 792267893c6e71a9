import type { Writable } from 'node:stream';

/** Where text goes: a terminal, a file, or what a test collects. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

/** What a process has, and a test can give: `process` itself is one. */
export interface Surroundings {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Where a command writes, the environment it reads, and its exit status. */
export class Shell implements Surroundings {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Surroundings['env'];
  /** For a command that ends without an error. */
  status = 0;
  /** Who read what is printed has gone, as `head` does when it has seen enough. */
  isReaderGone = false;

  constructor({ stdout, stderr, env }: Surroundings) {
    this.stdout = stdout;
    this.stderr = stderr;
    this.env = env;
    for (const stream of [stdout, stderr])
      stream.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EPIPE') throw error;
        if (stream === stdout) this.isReaderGone = true;
      });
  }

  print(text: string): void {
    this.stdout.write(`${text}\n`);
  }

  complain(text: string): void {
    this.stderr.write(`${text}\n`);
  }
}
