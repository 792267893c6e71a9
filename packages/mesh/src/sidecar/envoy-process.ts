import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/**
 * Runs Envoy for as long as standard input stays open. It ends when we close it, and also when we die in whatever way: an
 * Envoy that outlived its service would answer for it. The folder, with the token in it, goes at the same time. `$1` is
 * the folder, `$2` how many seconds Envoy has to end by itself, the rest is the command. The first line it prints is
 * Envoy's process id. Two processes wait for us, one in the other: Envoy ends also when one of them was killed. In the end a
 * signal to its own group, which it ignores itself, ends both.
 */
const guard = `
folder=$1 grace=$2
shift 2
trap '' HUP INT TERM
exec 3<&0
(
  trap - HUP INT TERM
  exec "$@" 3<&- </dev/null
) &
envoy=$!
echo "$envoy"
finish() {
  rm -rf "$folder"
  kill -TERM "$envoy" 2>/dev/null
  sleep "$grace"
  kill -KILL "$envoy" 2>/dev/null
}
(
  (
    read -r _ <&3
    finish
  )
  finish
) &
wait "$envoy"
status=$?
trap '' USR1
kill -USR1 0
exit "$status"
`;

export interface EnvoyRun {
  readonly program: string;
  /** Holds `bootstrap.json`. Removed with the process. */
  readonly folder: string;
  readonly concurrency: number;
  readonly logLevel: string;
  /** How long a connection may live on under a configuration that is no longer true, in seconds. */
  readonly graceSeconds: number;
  /** Envoy logs it, where it logs what it sends: it is left out of `logged`. */
  readonly token: string | undefined;
  readonly logged: (line: string) => void;
}

/** One run of Envoy, from its start to its end. */
export class EnvoyProcess {
  /** Resolves when it has ended, with how. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #pid: Promise<number>;
  #over = false;

  static async start(run: EnvoyRun): Promise<EnvoyProcess> {
    const child = spawn(
      '/bin/sh',
      [
        '-c',
        guard,
        'quorate-sidecar',
        run.folder,
        '5',
        run.program,
        '--config-path',
        join(run.folder, 'bootstrap.json'),
        '--disable-hot-restart',
        '--concurrency',
        String(run.concurrency),
        '--drain-time-s',
        String(run.graceSeconds),
        // Without this, clients are asked to come anew one by one over all of that time.
        '--drain-strategy',
        'immediate',
        '--log-level',
        run.logLevel,
      ],
      // A group of its own: Ctrl-C is for us, and we drain before Envoy ends.
      { cwd: '/', detached: true, stdio: ['pipe', 'pipe', 'pipe'] },
    );
    await once(child, 'spawn');
    return new EnvoyProcess(child, run);
  }

  private constructor(child: ChildProcess, { folder, token, logged }: EnvoyRun) {
    this.#child = child;
    this.#folder = folder;
    const secret = token === undefined ? undefined : written(token);
    const told = (line: string): void => logged(secret ? line.replaceAll(secret, '<token>') : line);
    child.unref();
    const { stdin, stdout, stderr } = child as { stdin: Writable; stdout: Readable; stderr: Readable };
    for (const stream of [stdin, stdout, stderr]) (stream as unknown as { unref(): void }).unref();
    stdin.on('error', () => undefined);
    const out = createInterface({ input: stdout });
    this.#pid = once(out, 'line').then(([line]) => Number(line));
    this.#pid.catch(() => undefined);
    out.on('line', told);
    createInterface({ input: stderr }).on('line', told);
    this.ended = new Promise((resolve) => {
      child.once('exit', (status) => {
        this.#over = true;
        if (status === null) {
          endGroup(child.pid as number);
          resolve('lost the shell that guards it');
        }
        // A shell adds 128 to the number of a signal.
        else resolve(status > 128 ? `was ended by signal ${status - 128}` : `ended with status ${status}`);
      });
    });
  }

  get over(): boolean {
    return this.#over;
  }

  get pid(): Promise<number> {
    return this.#pid;
  }

  /** Resolves when nothing of it is left. */
  async stop(): Promise<void> {
    if (!this.#over) this.#child.ref();
    this.#child.stdin?.end();
    await this.ended;
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** This text as it is, or with backslashes before its signs, as in JSON. */
function written(text: string): RegExp {
  const code = (sign: string): string => sign.charCodeAt(0).toString(16).padStart(2, '0');
  return new RegExp(
    text.replaceAll(/\W/g, (sign) => String.raw`\\?\x${code(sign)}`),
    'g',
  );
}

/** A guard that was killed ends what is left of its group no more: Envoy, and the parts that wait for us. */
function endGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // Nothing is left.
  }
}
