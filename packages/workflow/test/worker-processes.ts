import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { WorkerPlan } from './worker-process.ts';

const program = fileURLToPath(new URL('worker-process.ts', import.meta.url));

/** A worker in a process of its own. */
export class WorkerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;

  /** Resolves when it polls. */
  static async start(plan: WorkerPlan): Promise<WorkerProcess> {
    const worker = new WorkerProcess(plan);
    await worker.ready;
    return worker;
  }

  readonly ready: Promise<void>;

  constructor(plan: WorkerPlan) {
    this.#child = spawn(process.execPath, ['--conditions=@quorate/source', program], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, NODE_NO_WARNINGS: '1', QUORATE_WORKER: JSON.stringify(plan) },
    });
    this.#child.stdin?.on('error', () => {});
    this.#exit = once(this.#child, 'exit');
    // Also when it has died before.
    this.ready = Promise.race([once(this.#child.stdout as NodeJS.ReadableStream, 'data'), this.#exit]).then(() => {});
  }

  /** Resolves when it is dead. */
  get exited(): Promise<unknown> {
    return this.#exit;
  }

  kill(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' = 'SIGKILL'): void {
    this.#child.kill(signal);
  }

  /** Drains, and ends. */
  async leave(): Promise<void> {
    this.#child.stdin?.end();
    await this.#exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.#exit;
  }
}

/** One worker at a time: when it dies, the next one comes. */
export class Succession implements AsyncDisposable {
  readonly #plan: WorkerPlan;
  readonly #going: Promise<void>;
  #over = false;
  #current: WorkerProcess | undefined;
  deaths = 0;

  constructor(plan: WorkerPlan) {
    this.#plan = plan;
    this.#going = this.#go();
  }

  async #go(): Promise<void> {
    while (!this.#over) {
      this.#current = new WorkerProcess(this.#plan);
      await this.#current.exited;
      if (!this.#over) this.deaths += 1;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    await this.#current?.leave();
    await this.#going;
  }
}
