import { History } from '../src/history/history.ts';

/** What can happen in a story: who, from when to when in milliseconds, and what. */
export interface Story {
  /** An operation that is ok. */
  ok(process: string, from: number, to: number, op: string, input: unknown, output?: unknown): void;
  /** One whose reply is lost. */
  lost(process: string, from: number, to: number, op: string, input: unknown): void;
  failed(process: string, from: number, to: number, op: string, input: unknown): void;
  held(process: string, from: number, to: number | undefined, lease: string, token: bigint): void;
  fault(kind: string, target: string, from: number, to?: number): void;
}

/** A history told in any order, recorded in order of time. */
export function story(tell: (story: Story) => void): History {
  const actions: { at: number; run: () => void }[] = [];
  let now = 0;
  const history = new History({ clock: () => now });
  const operation =
    (end: 'ok' | 'failed' | 'ambiguous') =>
    (process: string, from: number, to: number, op: string, input: unknown, output?: unknown): void => {
      let invocation: ReturnType<History['invoke']>;
      const begin = (): void => {
        invocation = history.invoke(process, op, input);
      };
      actions.push({ at: from, run: begin }, { at: to, run: () => invocation[end](end === 'ok' ? output : undefined) });
    };
  tell({
    ok: operation('ok'),
    lost: operation('ambiguous'),
    failed: operation('failed'),
    held: (process, from, to, lease, token) => {
      actions.push({ at: from, run: () => history.held(process, lease, token) });
      if (to !== undefined) actions.push({ at: to, run: () => history.released(process, lease, token) });
    },
    fault: (kind, target, from, to) => {
      let fault: ReturnType<History['fault']>;
      const begin = (): void => {
        fault = history.fault(kind, target);
      };
      actions.push({ at: from, run: begin });
      if (to !== undefined) actions.push({ at: to, run: () => fault.end() });
    },
  });
  for (const { at, run } of actions.sort((a, b) => a.at - b.at)) {
    now = at;
    run();
  }
  return history;
}
