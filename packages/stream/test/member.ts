import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually } from '@quorate/testbed';
import type { MemberPlan } from './member-process.ts';

const program = fileURLToPath(new URL('member-process.ts', import.meta.url));

export interface Handled {
  readonly key: string;
  readonly value: number;
  /** When it was heard of, by `performance.now()`. */
  readonly at: number;
}

/** A consumer in a process of its own. */
export class Member implements AsyncDisposable {
  readonly handled: Handled[] = [];
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  #ready = false;

  private constructor(child: ChildProcess, hear: (handled: Handled) => void) {
    this.#child = child;
    this.#exit = once(child, 'exit');
    child.stdin?.on('error', () => {});
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const said = JSON.parse(line) as { readonly key?: string; readonly value?: number } | 'ready';
      if (said === 'ready') this.#ready = true;
      else if (said.key !== undefined && said.value !== undefined) {
        const handled = { key: said.key, value: said.value, at: performance.now() };
        this.handled.push(handled);
        hear(handled);
      }
    });
  }

  /** Resolves when it is a member. */
  static async start(plan: MemberPlan, hear: (handled: Handled) => void = () => {}): Promise<Member> {
    const member = Member.launch(plan, hear);
    await eventually('it is a member', () => member.#ready || member.#child.exitCode !== null);
    return member;
  }

  static launch(plan: MemberPlan, hear: (handled: Handled) => void = () => {}): Member {
    const child = spawn(process.execPath, ['--conditions=@quorate/source', program], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, NODE_NO_WARNINGS: '1', QUORATE_MEMBER: JSON.stringify(plan) },
    });
    return new Member(child, hear);
  }

  kill(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' = 'SIGKILL'): void {
    this.#child.kill(signal);
  }

  /** Leaves the group, and ends. */
  async leave(): Promise<void> {
    this.#child.stdin?.end();
    await this.#exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.#exit;
  }
}
