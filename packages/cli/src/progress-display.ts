import type { OnProgress, Progress } from '@quorate/testbed';
import type { Output } from './shell.ts';

/** Steps shorter than this are not worth a line. */
const patience = 1_000;

/** How often a line is written where there is no terminal to draw on. */
const everySoOften = 30_000;

interface Step extends Progress {
  readonly since: number;
  readonly written: number;
}

/** Shows long steps on standard error: bars that move on a terminal, now and then a line elsewhere. */
export function progressDisplay(out: Output): Disposable & { readonly onProgress: OnProgress } {
  const steps = new Map<string, Step>();
  let drawn = 0;
  const erase = (): void => {
    if (drawn > 0) out.write(`\x1b[${drawn}A\x1b[J`);
    drawn = 0;
  };
  const draw = (): void => {
    const now = performance.now();
    const long = [...steps.values()].filter(({ since }) => now - since > patience);
    if (out.isTTY) {
      erase();
      for (const step of long) out.write(`${describe(step, now)}\n`);
      drawn = long.length;
      return;
    }
    for (const step of long.filter(({ written }) => now - written > everySoOften)) {
      steps.set(step.name, { ...step, written: now });
      out.write(`${describe(step, now)}\n`);
    }
  };
  const timer = setInterval(draw, 200).unref();
  return {
    onProgress: (progress) => {
      const { name, finished } = progress;
      const { since = performance.now(), written = -Infinity } = steps.get(name) ?? {};
      if (!finished) return void steps.set(name, { ...progress, since, written });
      steps.delete(name);
      if (out.isTTY) draw();
      const seconds = (performance.now() - since) / 1000;
      if (seconds < 1) return;
      erase();
      out.write(`${name} is here, after ${seconds.toFixed(0)} s\n`);
    },
    [Symbol.dispose]: () => {
      clearInterval(timer);
      if (out.isTTY) erase();
    },
  };
}

function describe({ name, step, done, total, since }: Step, now: number): string {
  const seconds = `${((now - since) / 1000).toFixed(0)} s`;
  const label = `${name.padEnd(18)} ${step}`;
  if (done === undefined || !total) return `${label} … ${seconds}`;
  const filled = Math.round((20 * Math.min(done, total)) / total);
  const amount = total > 1_000_000 ? `${megabytes(done)} of ${megabytes(total)} MB` : `${done} of ${total}`;
  return `${label} ${'█'.repeat(filled)}${'░'.repeat(20 - filled)} ${amount}, ${seconds}`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
