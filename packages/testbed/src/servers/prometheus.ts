import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidArgumentError } from '@quorate/core';
import { Server } from '../processes/server.ts';
import { answerOf } from './answers.ts';
import { portsFor, type Site } from './site.ts';

export interface PrometheusOptions {
  /** A free port by default. */
  readonly port?: number;
  /** Whom to ask for metrics, at `/metrics`: `['127.0.0.1:9090']`. More can be named later: `bed.prometheus.scrape(…)`. */
  readonly scrape?: readonly string[];
  /** Further parts of prometheus.yml, or others for ours; its scrape_configs are added. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** A Prometheus server, which asks for metrics once a second. */
export class Prometheus {
  readonly servers: readonly Server[];

  static async plan(site: Site, { port, scrape = [], config = {} }: PrometheusOptions): Promise<Prometheus> {
    const [own = 0] = await portsFor(site, 1, port);
    const address = `127.0.0.1:${own}`;
    const { scrape_configs: jobs = [], ...others } = config;
    const settings = {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      ...others,
      scrape_configs: [
        { job_name: 'quorate', file_sd_configs: [{ files: ['targets/*.json'] }] },
        ...(jobs as unknown[]),
      ],
    };
    const server = new Server(
      {
        name: 'prometheus-1',
        address,
        command: site.program('prometheus').path,
        args: [
          '--config.file=prometheus.yml',
          `--web.listen-address=${address}`,
          '--storage.tsdb.path=data',
          '--log.level=warn',
        ],
        ports: [own],
        // YAML takes JSON as it is.
        files: {
          'prometheus.yml': JSON.stringify(settings, null, 2),
          'targets/quorate.json': targets('quorate', scrape),
        },
        ready: async (signal) => (await answerOf(`http://${address}/-/ready`, signal)) !== undefined,
      },
      site,
    );
    return new Prometheus(server);
  }

  private constructor(server: Server) {
    this.servers = [server];
  }

  get server(): Server {
    return this.servers[0] as Server;
  }

  get environment(): Record<string, string> {
    return { QUORATE_PROMETHEUS: this.url };
  }

  /** Its HTTP API: `http://127.0.0.1:9090`. */
  get url(): string {
    return `http://${this.server.address}`;
  }

  /** Asks these for metrics from now on, under the name of this job, in place of whom the job had before. */
  async scrape(job: string, addresses: readonly string[]): Promise<void> {
    if (!/^[\w.-]+$/.test(job))
      throw new InvalidArgumentError('job', 'a name: letters, digits, dots, hyphens and underscores', job);
    const file = join(this.server.folder, 'targets', `${job}.json`);
    // It watches the folder, and must not see half a file.
    await writeFile(`${file}.new`, targets(job, addresses));
    await rename(`${file}.new`, file);
  }
}

function targets(job: string, addresses: readonly string[]): string {
  const strange = addresses.find((address) => typeof address !== 'string' || !/^[^\s/]+:\d+$/.test(address));
  if (strange !== undefined) throw new InvalidArgumentError('scrape', 'addresses such as "127.0.0.1:9090"', strange);
  return JSON.stringify([{ targets: addresses, labels: { job } }]);
}
