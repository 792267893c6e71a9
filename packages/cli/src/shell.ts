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

  constructor({ stdout, stderr, env }: Surroundings) {
    this.stdout = stdout;
    this.stderr = stderr;
    this.env = env;
  }

  print(text: string): void {
    this.stdout.write(`${text}\n`);
  }

  complain(text: string): void {
    this.stderr.write(`${text}\n`);
  }
}
