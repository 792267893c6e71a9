import { BedStoppedError } from '../processes/bed-stopped-error.ts';
import { Ports } from '../processes/ports.ts';
import type { Site } from '../servers/site.ts';
import { checkOptions } from './check-options.ts';
import type { OwnServerOptions } from './own-options.ts';
import type { PortsOption } from './own-ports.ts';
import { OwnServer } from './own-server.ts';

/** The servers in a bed that are the caller's own. */
export class OwnServers {
  readonly servers: OwnServer[] = [];
  readonly #site: Site;
  readonly #ports: Ports[] = [];
  readonly #starting = new Set<{ readonly name: string; readonly run: Promise<unknown> }>();
  readonly #closed = new AbortController();

  constructor(site: Site) {
    this.#site = site;
  }

  /** Those that are still starting have theirs already. */
  get names(): readonly string[] {
    return [...this.servers, ...this.#starting].map(({ name }) => name);
  }

  /** `taken` are the names that others in the bed have. */
  async run<P extends PortsOption>(
    options: OwnServerOptions<P>,
    taken: readonly string[],
    signal?: AbortSignal,
  ): Promise<OwnServer<P>> {
    const either = signal ? AbortSignal.any([signal, this.#closed.signal]) : this.#closed.signal;
    either.throwIfAborted();
    const run = this.#run(options, [...taken, ...this.names], either);
    // One that is refused for its name must not stand in for the one that has it.
    const entry = { name: options?.name, run };
    this.#starting.add(entry);
    try {
      return await run;
    } finally {
      this.#starting.delete(entry);
    }
  }

  /** Those that are still starting are given up. Resolves when nothing of them is left. */
  async close(): Promise<void> {
    this.#closed.abort(new BedStoppedError());
    await Promise.allSettled([...this.#starting].map(({ run }) => run));
    for (const ports of this.#ports) ports.release();
  }

  async #run<P extends PortsOption>(
    options: OwnServerOptions<P>,
    taken: readonly string[],
    signal: AbortSignal,
  ): Promise<OwnServer<P>> {
    const checked = await checkOptions(options as unknown as OwnServerOptions, taken);
    const claims = new Ports();
    let server: OwnServer<P> | undefined;
    try {
      const ports = new Map<string, number>();
      for (const { name, port } of checked.wanted) ports.set(name, port || (await claims.claim()));
      server = OwnServer.plan(options, checked, ports, this.#site);
      await server.start(signal);
      signal.throwIfAborted();
    } catch (error) {
      // What cannot be removed now goes with the bed; why it did not start is what must be told.
      await server?.remove().catch(() => {});
      claims.release();
      throw error;
    }
    this.#ports.push(claims);
    this.servers.push(server as unknown as OwnServer);
    this.#site.links.know([server], 'own');
    return server;
  }
}
