import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { QuorateError } from '@quorate/core';
import { History, standsStill, type Testbed } from '@quorate/testbed';
import type { Rules } from './clerk.ts';

export interface DoraOptions {
  readonly rules: Rules;
  readonly seed: number;
  readonly zookeeper: string;
  readonly sessionTimeout: number;
  readonly till: string;
}

/** Dora's process, seen from outside. */
export class Dora {
  readonly #process: ChildProcess;
  readonly #lines: string[] = [];
  readonly #stopped = Promise.withResolvers<number>();
  readonly #answered = Promise.withResolvers<'accepted' | 'refused'>();
  #hasStopped = false;
  readonly #ended: Promise<void>;
  #complaint = '';

  /** She ends with the bed at the latest, also when she is stopped. */
  static async start(bed: Testbed, options: DoraOptions): Promise<Dora> {
    const program = fileURLToPath(
      new URL(import.meta.url.endsWith('.ts') ? './dora-process.ts' : './dora-process.js', import.meta.url),
    );
    return new Dora(await bed.launch(process.execPath, [...process.execArgv, program, JSON.stringify(options)]));
  }

  private constructor(child: ChildProcess) {
    this.#process = child;
    const { stdout, stderr } = child as { readonly stdout: Readable; readonly stderr: Readable };
    stderr.setEncoding('utf8').on('data', (text) => (this.#complaint += text));
    createInterface(stdout).on('line', (line) => this.#hear(line));
    this.#ended = once(child, 'close').then(([status]) => {
      if (status === 0) return;
      throw new QuorateError(`dora's process failed: ${this.#complaint.trim()}`, { code: 'process-failed' });
    });
    for (const awaited of [this.#stopped, this.#answered]) {
      this.#ended.catch((error) => awaited.reject(error));
      awaited.promise.catch(() => undefined);
    }
  }

  /** Resolves when she stands still, with the number she has read and not yet written. */
  async stopped(): Promise<number> {
    const number = await this.#stopped.promise;
    // She says so before she stops.
    await standsStill(this.#process.pid);
    return number;
  }

  /** Wakes her up, and resolves with what the till said to the write she was about to make. */
  resume(): Promise<'accepted' | 'refused'> {
    this.#process.kill('SIGCONT');
    return this.#answered.promise;
  }

  /** When she is done: what happened to her. */
  async history(): Promise<History> {
    await this.#ended;
    return History.fromJsonLines(this.#lines.join('\n'));
  }

  #hear(line: string): void {
    this.#lines.push(line);
    const event = JSON.parse(line) as { readonly type: string; readonly label?: string; readonly detail?: number };
    if (event.type === 'note' && event.label === 'stops') {
      this.#hasStopped = true;
      this.#stopped.resolve(event.detail ?? 0);
    }
    if (this.#hasStopped && event.type === 'ok') this.#answered.resolve('accepted');
    if (this.#hasStopped && event.type === 'failed') this.#answered.resolve('refused');
  }
}
