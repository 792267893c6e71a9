import type { RequestListener } from 'node:http';
import type {} from '@quorate/testbed/vitest';
import { inject, onTestFailed, onTestFinished } from 'vitest';
import type { Duration, Instance, Mesh, Registration, Sidecar } from '../src/index.ts';
import { freePort, HttpService } from './http-service.ts';

export interface Resident {
  readonly service: HttpService;
  readonly instance: Instance;
  readonly sidecar: Sidecar;
  /** Where another service is for this one: through its own sidecar. */
  readonly upstream: Readonly<Record<string, string>>;
}

interface Settling extends Partial<Omit<Registration, 'name' | 'sidecar'>> {
  readonly to?: readonly string[];
  readonly answer?: RequestListener;
  readonly envoy: string;
  readonly drain?: Duration;
  /** Where it stays for longer than one test. */
  readonly until?: AsyncDisposableStack;
  /** Settings of Consul's for the proxy. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** The Consul and the Envoy of the whole run: services there have names that no other file uses. */
export function shared(): { readonly consul: string; readonly envoy: string } {
  const { QUORATE_CONSUL: consul, QUORATE_ENVOY: envoy } = inject('quorateBed');
  if (consul === undefined || envoy === undefined) throw new Error('the shared bed has no Consul or no Envoy');
  return { consul, envoy };
}

/** A service with its instance and its sidecar, for as long as one test, or as `until`. The answer is its name unless said otherwise. */
export async function settle(
  mesh: Mesh,
  name: string,
  { to = [], answer, envoy, drain = '100ms', config = {}, until, ...more }: Settling,
): Promise<Resident> {
  const stack = until ?? new AsyncDisposableStack();
  if (!until) onTestFinished(() => stack.disposeAsync());
  const service = stack.use(await HttpService.start(answer ?? ((_, response) => response.end(name))));
  const upstreams: Record<string, number> = {};
  for (const other of to) upstreams[other] = await freePort();
  // The agent chooses ports without looking whether somebody has them; on a machine where much is tested somebody does.
  const sidecarPort = await freePort();
  const registered = { port: sidecarPort, upstreams, config };
  const instance = stack.use(
    await mesh.register({ name, port: service.port, checks: [], ...more, sidecar: registered }),
  );
  const sidecar = stack.use(await mesh.startSidecar(instance, { envoy, concurrency: 1, drain, grace: '1s' }));
  // A listener that Envoy could not have, say: it is told of nowhere else.
  if (!until) onTestFailed(() => console.log(`The sidecar of ${name} (${sidecar.state}) has logged:`, sidecar.log));
  const upstream = Object.fromEntries(to.map((other) => [other, `http://127.0.0.1:${upstreams[other]}`]));
  return { service, instance, sidecar, upstream };
}

/** The answer's status and text; a connection that fails is 0. */
export async function ask(url: string, init: RequestInit = {}): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000), ...init });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    return { status: 0, text: String((error as Error).cause ?? error) };
  }
}
