import type { ChildProcess } from 'node:child_process';
import { combinedHealth, type Health, InvalidArgumentError } from '@quorate/core';
import { getArchives } from './archives.ts';
import { type Kind, type Kinds, kinds } from './kinds.ts';
import type { Link } from './links/link.ts';
import { Links } from './links/links.ts';
import type { Partition } from './links/partition.ts';
import { parseOptions, type TestbedOptions, type Wanted } from './options.ts';
import type { OwnServerOptions } from './own/own-options.ts';
import type { PortsOption } from './own/own-ports.ts';
import type { OwnServer } from './own/own-server.ts';
import { OwnServers } from './own/own-servers.ts';
import { Ports } from './processes/ports.ts';
import type { Server } from './processes/server.ts';
import { Warden } from './processes/warden.ts';
import type { Program } from './programs/program.ts';
import { Programs, type ProgramsOptions } from './programs/programs.ts';
import type { Site } from './servers/site.ts';
import { together } from './together.ts';

/** A bed with the servers that `Options` asks for: `bed.redis` is there when Redis was asked for, and only then. */
export type BedOf<Options extends TestbedOptions> = Testbed & { readonly [K in Kind & keyof Options]: Kinds[K] };

export interface StartOptions extends Pick<ProgramsOptions, 'offline' | 'onProgress'> {
  readonly signal?: AbortSignal;
  /**
   * Each server keeps its data on a disk of its own with so many megabytes, which can be full: `server.fillDisk()`. It
   * takes Linux with user namespaces that everybody may make, and memory for what is written.
   */
  readonly disk?: number;
  /** Told as each server becomes ready. */
  readonly onReady?: (server: Server) => void;
}

/**
 * Real servers on this machine, on free ports of loopback, for as long as they are wanted.
 *
 *     await using bed = await Testbed.start({ zookeeper: 3, redis: 1 });
 *     connect(bed.zookeeper.url);
 *     await bed.zookeeper.member(1).kill();
 *
 * Whatever ends this process, no server, folder or port of the bed outlives it.
 */
export class Testbed implements AsyncDisposable {
  /** Data, config and logs of all its servers; gone after `stop`. */
  readonly folder: string;
  /** Where everything is, for other programs: `QUORATE_ZOOKEEPER`, `QUORATE_S3_US_EAST_1`, … */
  readonly environment: Readonly<Record<string, string>>;
  readonly #warden: Warden;
  readonly #ports: Ports;
  readonly #links: Links;
  readonly #kept: readonly Server[];
  readonly #own: OwnServers;

  /** Resolves when every server answers by its own protocol. When one fails, or `signal` aborts, nothing is left. */
  static async start<const Options extends TestbedOptions>(
    options: Options = {} as Options,
    { disk, onReady, signal, ...bringing }: StartOptions = {},
  ): Promise<BedOf<Options>> {
    const wanted = parseOptions(options);
    if (disk !== undefined && !(Number.isInteger(disk) && disk >= 1 && disk <= 65_536))
      throw new InvalidArgumentError('disk', 'a whole number of megabytes from 1 to 65536', disk);
    const programs = await getPrograms(wanted, bringing, signal);
    const archives = await getArchives(wanted, programs, signal);
    const warden = await Warden.inNewFolder();
    const ports = new Ports();
    const links = new Links(ports);
    let bed: Testbed | undefined;
    try {
      const program = (name: string): Program => programs.get(name) as Program;
      const classes = (name: string): string | undefined => archives.get(name);
      const site: Site = { warden, ports, links, program, classes, ...(disk !== undefined && { disk }) };
      bed = new Testbed(site, await planServers(wanted, site));
      const start = async (server: Server, signal: AbortSignal): Promise<void> => {
        await server.start(signal);
        onReady?.(server);
      };
      await together(bed.servers, start, signal);
      return bed as BedOf<Options>;
    } catch (error) {
      await bed?.stop();
      await warden.close();
      links.close();
      ports.release();
      throw error;
    }
  }

  private constructor(site: Site, groups: Partial<Kinds>) {
    const { warden, ports, links } = site;
    this.folder = warden.folder;
    this.#warden = warden;
    this.#ports = ports;
    this.#links = links;
    this.#own = new OwnServers(site);
    this.#kept = Object.values(groups).flatMap((group) => group.servers);
    links.know(this.#kept);
    this.environment = Object.assign({}, ...Object.values(groups).map((group) => group.environment));
    Object.assign(this, groups);
  }

  /** Those that the bed was started with, then your own. */
  get servers(): readonly Server[] {
    return [...this.#kept, ...this.#own.servers];
  }

  /** A server by its name: `zookeeper-1`. */
  server(name: string): Server {
    const found = this.servers.find((server) => server.name === name);
    if (!found)
      throw new InvalidArgumentError('server', `one of ${this.servers.map((server) => server.name).join(', ')}`, name);
    return found;
  }

  /**
   * Starts a server of your own beside the others: it is broken, restarted and stopped as they are.
   *
   *     const own = await bed.run({
   *       name: 'rides',
   *       command: 'node',
   *       args: ({ port }) => [resolve('rides.ts'), '--port', String(port)],
   *       ready: { http: '/readyz' },
   *     });
   *     await own.kill();
   *     await own.restart(); // the same data, the same ports
   *
   * Resolves when it is ready. When it fails, or `signal` aborts, nothing of it is left.
   */
  run<const P extends PortsOption = 1>(
    options: OwnServerOptions<P>,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<OwnServer<P>> {
    return this.#own.run(options, [...this.#kept.map(({ name }) => name), ...this.#links.names], signal);
  }

  /**
   * Starts a program of yours beside the servers: a client that can be stopped and killed as they can. It has a process
   * group of its own and no input; read both its outputs. It ends with the bed at the latest, however that ends; a bed that
   * has been stopped refuses it.
   */
  launch(command: string, args: readonly string[] = []): Promise<ChildProcess> {
    return this.#warden.launch({ command, args, cwd: process.cwd(), output: 'pipe' });
  }

  /**
   * The way between two parties, always the same one: from a client, whatever it calls itself, to a server, when the
   * client connects to `await link.address`; or between two servers that reach each other: the members of a ZooKeeper
   * ensemble, Kafka brokers, Consul agents, a Redis primary and its replica. Others have none, and an InvalidArgumentError says so.
   */
  link(a: string, b: string): Link {
    return this.#links.link(a, b);
  }

  /**
   * A process of yours that listens on a port of loopback, such as a service or its sidecar: links can lead to it as to a
   * server.
   *
   *     bed.introduce('query', 9090).introduce('query-sidecar', 20_000);
   *     const link = bed.link('query', 'query-sidecar');
   *     await link.addressOf('query-sidecar'); // where the service connects
   *     await link.addressOf('query'); // where the sidecar connects
   */
  introduce(name: string, port: number): this {
    this.#links.introduce(name, port, this.#own.names);
    return this;
  }

  /** The servers that this one reaches through links, of its own kind. */
  neighbours(server: Server): readonly Server[] {
    return this.#links.neighboursOf(server.name).map((name) => this.server(name));
  }

  /** Cuts every link between the two sides: nothing arrives, nothing ends. Clients count when they connect by links. */
  async partition(left: readonly string[], right: readonly string[]): Promise<Partition> {
    return this.#links.partition(left, right);
  }

  /**
   * Every link is well again, no server paused or slow, and no disk full, whatever of that was asked for before. Who was
   * killed or has died stays so.
   */
  async heal(): Promise<void> {
    await this.#links.heal();
    // None waits for another, who may itself wait for this one.
    await Promise.all(this.servers.map((server) => server.heal()));
  }

  /** Asks every server. */
  async health(): Promise<Health> {
    const parts = await Promise.all(this.servers.map(async (server) => [server.name, await server.health()] as const));
    return combinedHealth(Object.fromEntries(parts));
  }

  /** Ends every server and removes all they left. May be called twice. */
  async stop(): Promise<void> {
    await this.#own.close();
    // Their data goes with them: no need to let them finish.
    await Promise.all(this.servers.map((server) => server.kill()));
    await this.#warden.close();
    this.#links.close();
    this.#ports.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

async function getPrograms(
  wanted: Wanted,
  options: ProgramsOptions,
  outer?: AbortSignal,
): Promise<Map<string, Program>> {
  const names = new Set(Object.entries(wanted).flatMap(([kind, settings]) => kinds[kind as Kind].programs(settings)));
  const programs = new Programs(options);
  const found = new Map<string, Program>();
  await together(names, async (name, signal) => found.set(name, await programs.get(name, signal)), outer);
  return found;
}

async function planServers(wanted: Wanted, site: Site): Promise<Partial<Kinds>> {
  const groups: Record<string, unknown> = {};
  for (const [kind, options] of Object.entries(wanted)) {
    groups[kind] = await kinds[kind as Kind].plan(site, options);
  }
  return groups as Partial<Kinds>;
}
