import { Server } from '../processes/server.ts';
import { answerOf } from './answers.ts';
import { portsFor, type Site } from './site.ts';

export interface EnvoyOptions {
  /** The port of Envoy's administration; the listener's follows it. Free ports by default. */
  readonly port?: number;
}

/** One Envoy: its administration, and a listener that answers every request itself, to show that it serves. */
export class Envoy {
  readonly servers: readonly Server[];
  /** The program, to run sidecars with. */
  readonly program: string;
  /** The listener: `http://127.0.0.1:10000`. */
  readonly url: string;

  static async plan(site: Site, { port }: EnvoyOptions): Promise<Envoy> {
    const [admin = 0, listener = 0] = await portsFor(site, 2, port);
    const program = site.program('envoy').path;
    const address = `127.0.0.1:${admin}`;
    const server = new Server(
      {
        name: 'envoy-1',
        address,
        command: program,
        // Without shared memory two Envoys on one machine cannot meet; concurrency 1 keeps it small.
        args: ['--config-path', 'envoy.json', '--disable-hot-restart', '--concurrency', '1', '--log-level', 'warning'],
        ports: [admin, listener],
        files: { 'envoy.json': JSON.stringify(bootstrap(admin, listener), null, 2) },
        ready: async (signal) => (await answerOf(`http://${address}/ready`, signal))?.trim() === 'LIVE',
      },
      site,
    );
    return new Envoy(server, program, `http://127.0.0.1:${listener}`);
  }

  private constructor(server: Server, program: string, url: string) {
    this.servers = [server];
    this.program = program;
    this.url = url;
  }

  get server(): Server {
    return this.servers[0] as Server;
  }

  get environment(): Record<string, string> {
    return { QUORATE_ENVOY: this.program, QUORATE_ENVOY_ADMIN: this.admin };
  }

  /** Its administration: `http://127.0.0.1:9901`. */
  get admin(): string {
    return `http://${this.server.address}`;
  }
}

function bootstrap(admin: number, listener: number): unknown {
  const at = (port: number): unknown => ({ socket_address: { address: '127.0.0.1', port_value: port } });
  const type = 'type.googleapis.com/envoy.extensions.filters';
  return {
    admin: { address: at(admin) },
    static_resources: {
      listeners: [
        {
          name: 'here',
          address: at(listener),
          filter_chains: [
            {
              filters: [
                {
                  name: 'http',
                  typed_config: {
                    '@type': `${type}.network.http_connection_manager.v3.HttpConnectionManager`,
                    stat_prefix: 'here',
                    route_config: {
                      virtual_hosts: [
                        {
                          name: 'all',
                          domains: ['*'],
                          routes: [
                            {
                              match: { prefix: '/' },
                              direct_response: { status: 200, body: { inline_string: 'Envoy is here.\n' } },
                            },
                          ],
                        },
                      ],
                    },
                    http_filters: [{ name: 'router', typed_config: { '@type': `${type}.http.router.v3.Router` } }],
                  },
                },
              ],
            },
          ],
        },
      ],
    },
  };
}
