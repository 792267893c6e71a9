import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { defaults, type Instance, Mesh, type Sidecar } from '@quorate/mesh';
import { eventually, Testbed } from '@quorate/testbed';
import type { OpenLoop, OpenLoopResult } from './open-loop.ts';

/** A gateway and a service, each with its sidecar, and ways to ask the one by the other. */
export class Town implements AsyncDisposable {
  readonly mesh: Mesh;
  readonly envoy: string;
  readonly consul: string;
  /** The service itself. */
  readonly direct: string;
  readonly query: Instance;
  readonly sidecars: readonly Sidecar[];
  readonly #stack: AsyncDisposableStack;
  readonly #ways: Readonly<Record<string, number>>;

  static async start(): Promise<Town> {
    await using stack = new AsyncDisposableStack();
    const bed = stack.use(await Testbed.start({ consul: 1, envoy: true }));
    const mesh = stack.use(new Mesh({ address: bed.consul.url }));
    const worker = new Worker(new URL('echo.ts', import.meta.url));
    stack.defer(async () => void (await worker.terminate()));
    const [port] = (await once(worker, 'message')) as [number];
    for (const name of ['query', 'fresh', 'mortal']) await mesh.config.put(defaults(name, { protocol: 'http' }));
    const ways = { query: 27_101, fresh: 27_102, mortal: 27_103 };
    const query = stack.use(await mesh.register({ name: 'query', port, checks: [], sidecar: true }));
    const gateway = stack.use(
      await mesh.register({ name: 'gateway', port: 27_100, checks: [], sidecar: { upstreams: ways } }),
    );
    const envoy = bed.envoy.program;
    const sidecars: Sidecar[] = [];
    for (const instance of [query, gateway])
      sidecars.push(stack.use(await mesh.startSidecar(instance, { envoy, drain: 0 })));
    const own = { mesh, envoy, consul: bed.consul.url, direct: `http://127.0.0.1:${port}`, query, sidecars };
    const town = new Town(own, ways, stack.move());
    await eventually('the way is open', () => town.passes('query'));
    return town;
  }

  private constructor(
    own: Pick<Town, 'mesh' | 'envoy' | 'consul' | 'direct' | 'query' | 'sidecars'>,
    ways: Readonly<Record<string, number>>,
    stack: AsyncDisposableStack,
  ) {
    this.mesh = own.mesh;
    this.envoy = own.envoy;
    this.consul = own.consul;
    this.direct = own.direct;
    this.query = own.query;
    this.sidecars = own.sidecars;
    this.#ways = ways;
    this.#stack = stack;
  }

  /** A service, as the gateway reaches it: through both sidecars. */
  through(service: string): string {
    return `http://127.0.0.1:${this.#ways[service]}`;
  }

  async passes(service: string): Promise<boolean> {
    const response = await fetch(this.through(service), { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    await response?.text();
    return response?.status === 200;
  }

  async load(loop: OpenLoop): Promise<OpenLoopResult> {
    const worker = new Worker(new URL('open-loop.ts', import.meta.url), { workerData: loop });
    const [result] = (await once(worker, 'message')) as [OpenLoopResult];
    await worker.terminate();
    return result;
  }

  /** How a client that speaks mutual TLS itself reaches the service: through its sidecar alone. */
  async alone(): Promise<Pick<OpenLoop, 'url' | 'identity'>> {
    const { tls } = await this.mesh.authority.identity('client');
    const identity = { ...tls, ca: [...tls.ca], service: 'query' };
    return { url: `https://127.0.0.1:${this.query.sidecarPort}`, identity };
  }

  /** From the call that registers a new service to the first answer of it through both sidecars, in seconds. */
  async fresh(): Promise<number> {
    const begin = performance.now();
    await using instance = await this.mesh.register({
      name: 'fresh',
      port: Number(new URL(this.direct).port),
      sidecar: true,
    });
    await using _ = await this.mesh.startSidecar(instance, { envoy: this.envoy, drain: 0 });
    await eventually('the first answer', () => this.passes('fresh'), { every: 5 });
    return (performance.now() - begin) / 1_000;
  }

  /** From SIGKILL to the watch that no longer has it, and to the last request that met it, in seconds. */
  async mortal(): Promise<{ readonly watch: number; readonly requests: number }> {
    const victims = await Promise.all([this.#victim(), this.#victim()]);
    try {
      await using watch = this.mesh.watch('mortal', { passing: true });
      await eventually('both are known', () => watch.latest?.length === 2);
      await eventually('the way is open', () => this.passes('mortal'));
      victims[0]?.kill('SIGKILL');
      const killed = performance.now();
      let gone = 0;
      let last = killed;
      await eventually(
        'requests meet nobody dead',
        async () => {
          if (gone === 0 && watch.latest?.length === 1) gone = performance.now();
          if (!(await this.passes('mortal'))) last = performance.now();
          return gone > 0 && performance.now() - Math.max(last, gone) > 2_000;
        },
        { every: 1 },
      );
      return { watch: (gone - killed) / 1_000, requests: (last - killed) / 1_000 };
    } finally {
      for (const victim of victims) victim.kill('SIGKILL');
      for (const { id } of await this.mesh.instances('mortal')) {
        await fetch(`${this.consul}/v1/agent/service/deregister/${id}`, { method: 'PUT' });
      }
    }
  }

  /** Resident, in megabytes. */
  async memory(): Promise<number> {
    const pid = await this.sidecars[0]?.pid();
    const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
    return (Number(stdout) * 1024) / 1e6;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }

  async #victim(): Promise<ReturnType<typeof spawn>> {
    const program = fileURLToPath(new URL('victim.ts', import.meta.url));
    const args = ['--conditions=@quorate/source', program, this.consul, 'mortal', this.envoy];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(createInterface({ input: child.stdout }), 'line');
    return child;
  }
}
