import { Server } from '../processes/server.ts';
import { answerOf } from './answers.ts';
import { portsFor, type Site } from './site.ts';

export interface TemporalOptions {
  /** The port for clients; the UI's and the HTTP API's follow it. Free ports by default. */
  readonly port?: number;
}

/** Temporal's development server with its UI. Its workflows survive a restart: they are in a file. Those that are started with time skipping sleep for no time. */
export class Temporal {
  readonly servers: readonly Server[];
  /** The namespace that is there from the start. */
  readonly namespace = 'default';
  /** The UI for people: `http://127.0.0.1:8233`. */
  readonly ui: string;

  static async plan(site: Site, { port }: TemporalOptions): Promise<Temporal> {
    const [client = 0, ui = 0, http = 0] = await portsFor(site, 3, port);
    const metrics = (await portsFor(site, 1))[0] ?? 0;
    const flags = { ip: '127.0.0.1', port: client, 'ui-port': ui, 'http-port': http, 'metrics-port': metrics };
    const server = new Server(
      {
        name: 'temporal-1',
        address: `127.0.0.1:${client}`,
        command: site.program('temporal').path,
        args: [
          ...['server', 'start-dev', '--db-filename', 'temporal.db', '--log-level', 'warn'],
          // It survives its own death, though not that of the machine; with more it spends half of its time waiting for the disk.
          ...['journal_mode=WAL', 'synchronous=OFF'].flatMap((pragma) => ['--sqlite-pragma', pragma]),
          ...['--dynamic-config-value', 'frontend.WorkflowTimeSkippingEnabled=true'],
          ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]),
        ],
        // It would keep settings of its own in the home folder.
        env: { TEMPORAL_CONFIG_FILE: 'temporal.toml' },
        ports: [client, ui, http, metrics],
        ready: async (signal) => {
          const namespace = await answerOf(`http://127.0.0.1:${http}/api/v1/namespaces/default`, signal);
          return namespace !== undefined && (await answerOf(`http://127.0.0.1:${ui}/`, signal)) !== undefined;
        },
      },
      site,
    );
    return new Temporal(server, `http://127.0.0.1:${ui}`);
  }

  private constructor(server: Server, ui: string) {
    this.servers = [server];
    this.ui = ui;
  }

  get server(): Server {
    return this.servers[0] as Server;
  }

  get environment(): Record<string, string> {
    return { QUORATE_TEMPORAL: this.address, QUORATE_TEMPORAL_UI: this.ui };
  }

  /** For a client: `127.0.0.1:7233`. */
  get address(): string {
    return this.server.address;
  }
}
