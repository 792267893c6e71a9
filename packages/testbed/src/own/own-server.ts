import { randomBytes } from 'node:crypto';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { Server } from '../processes/server.ts';
import type { Site } from '../servers/site.ts';
import { type CheckedOptions, checkArgs, checkEnv, checkFiles } from './check-options.ts';
import type { OwnServerOptions, Place } from './own-options.ts';
import type { PortsOf, PortsOption } from './own-ports.ts';
import { probe } from './probes.ts';

/** A server of your own in a bed. What can be done to the bed's other servers can be done to it. */
export class OwnServer<P extends PortsOption = PortsOption> extends Server {
  /** Its first port; 0 where it has none. */
  readonly port: number;
  readonly ports: PortsOf<P>;

  /** `ports` are those wanted, with free ones in place of zeros. */
  static plan<P extends PortsOption>(
    options: OwnServerOptions<P>,
    { command, folder, cwd }: CheckedOptions,
    ports: ReadonlyMap<string, number>,
    site: Site,
  ): OwnServer<P> {
    const { name, args = [], env = {}, files = {}, ready, startWithin } = options;
    const numbers = [...ports.values()];
    const [port = 0] = numbers;
    const place: Place<P> = {
      folder: join(site.warden.folder, name),
      port,
      ports: (typeof (options.ports ?? 1) === 'number' ? numbers : Object.fromEntries(ports)) as PortsOf<P>,
    };
    const given = <T>(value: T | ((place: Place<P>) => T)): T =>
      typeof value === 'function' ? (value as (place: Place<P>) => T)(place) : value;
    const words = given(args);
    checkArgs(words);
    const variables = given(env);
    checkEnv(variables);
    const written = given(files);
    checkFiles(written);
    const server: OwnServer<P> = new OwnServer(
      {
        name,
        address: port === 0 ? '' : `127.0.0.1:${port}`,
        command,
        args: words,
        env: variables,
        ports: numbers,
        files: written,
        // What the caller puts into its folder may have any name.
        temporary: `tmp-${randomBytes(6).toString('hex')}`,
        ready: probe(ready as OwnServerOptions['ready'], place as Place, () => server),
        ...(folder !== undefined && {
          // Its links stay as they are written: made absolute, they would lead out of the copy.
          prepare: () => cp(folder, server.folder, { recursive: true, force: false, verbatimSymlinks: true }),
        }),
        ...(cwd !== undefined && { cwd }),
        ...(startWithin !== undefined && { startWithin }),
      },
      site,
      place,
    );
    return server;
  }

  private constructor(plan: ConstructorParameters<typeof Server>[0], site: Site, { port, ports }: Place<P>) {
    super(plan, site);
    this.port = port;
    this.ports = ports;
  }
}
