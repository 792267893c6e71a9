import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { spawnGuarded } from '../parent.js';

export const root: string = fileURLToPath(new URL('../../..', import.meta.url));

export interface Outcome {
  readonly status: number;
  readonly output: string;
}

export interface CommandOptions {
  /** Lets its output through instead of collecting it. */
  readonly show?: boolean;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Tells the command to end. */
  readonly signal?: AbortSignal;
}

/** Runs a command at the root of the repository; its output is collected, or shown as it comes. */
export async function command(
  name: string,
  args: readonly string[],
  { show = false, env = {}, signal }: CommandOptions = {},
): Promise<Outcome> {
  const child = spawnGuarded(name, args, {
    cwd: root,
    stdio: show ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const end = (): void => void child.kill('SIGTERM');
  signal?.addEventListener('abort', end);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (output += text));
  const [status] = (await once(child, 'close').finally(() => signal?.removeEventListener('abort', end))) as [
    number | null,
  ];
  return { status: status ?? 1, output };
}
