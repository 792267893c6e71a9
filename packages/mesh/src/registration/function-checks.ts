import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deadline, type Health } from '@quorate/core';
import { milliseconds } from '../duration.ts';
import type { Check, FunctionCheck } from './check.ts';

const statuses = { pass: 200, warn: 429, fail: 503 } as const;

/** Serves functions to the agent on loopback, each under a path that nobody can guess. Keeps no process alive. */
export class FunctionChecks implements AsyncDisposable {
  readonly #server: Server;
  readonly #paths: ReadonlyMap<FunctionCheck, string>;

  /** Nothing, when there is no function among the checks. */
  static async serve(checks: readonly Check[]): Promise<FunctionChecks | undefined> {
    const functions = checks.filter((check): check is FunctionCheck => 'run' in check);
    if (functions.length === 0) return undefined;
    const served = new FunctionChecks(functions);
    await once(served.#server.listen(0, '127.0.0.1'), 'listening');
    served.#server.unref();
    return served;
  }

  private constructor(functions: readonly FunctionCheck[]) {
    this.#paths = new Map(functions.map((check) => [check, `/${randomUUID()}`]));
    const byPath = new Map([...this.#paths].map(([check, path]) => [path, check]));
    this.#server = createServer((request, response) => {
      const check = byPath.get(request.url ?? '');
      if (check) void respond(check, response);
      else response.writeHead(404).end();
    });
    this.#server.on('connection', (socket) => socket.unref());
  }

  url(check: FunctionCheck): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}${this.#paths.get(check)}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

async function respond({ run, interval = 5_000, timeout }: FunctionCheck, response: ServerResponse): Promise<void> {
  using limit = deadline(milliseconds('timeout', timeout ?? interval));
  const tooLate = new Promise<never>((_, reject) => {
    limit.signal.addEventListener('abort', () => reject(limit.signal.reason), { once: true });
  });
  let health: Health;
  try {
    health = healthOf(await Promise.race([run(limit.signal), tooLate]));
  } catch (error) {
    health = { status: 'fail', detail: said(error) };
  }
  response.writeHead(statuses[health.status], { 'content-type': 'text/plain' });
  response.end((health.detail ?? health.status).slice(0, 1_000));
}

/** What was thrown may be anything, also something whose message throws. */
function said(error: unknown): string {
  try {
    return error instanceof Error ? String(error.message) : 'it threw';
  } catch {
    return 'it threw';
  }
}

/** What the agent is told. Whatever a function returns that means nothing is told to be that, as a failure. */
function healthOf(value: unknown): Health {
  if (value === undefined || value === true) return { status: 'pass' };
  if (value === false) return { status: 'fail' };
  const { status, detail } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const known = typeof status === 'string' && Object.hasOwn(statuses, status);
  if (known && (detail === undefined || typeof detail === 'string')) {
    return { status: status as Health['status'], ...(detail !== undefined && { detail }) };
  }
  // Its kind alone: the agent shows this to everybody, and the value may be data.
  const kind = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  const expected = 'nothing, true, false, or a Health: { status: "pass", "warn" or "fail", detail: a text }';
  return { status: 'fail', detail: `the check returned a value that says nothing (${kind}): expected ${expected}` };
}
