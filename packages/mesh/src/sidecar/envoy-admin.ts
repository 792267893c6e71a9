import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { deadline } from '@quorate/core';
import { clustersOf, type Dump } from './clusters-of.ts';

/** How long Envoy may take to answer about itself. */
const patience = 5_000;

/** How long it may take to say whether it is ready, before it is taken for paused. */
const readiness = 3_000;

/** The most of an answer that is read: a configuration of thousands of endpoints has megabytes. */
const most = 64 * 1024 * 1024;

/** The parts of its configuration that Consul tells it. */
const told = /(?:Listeners|Clusters|Routes)ConfigDump$/;

/**
 * For `JSON.stringify`: the same content gives the same text. Envoy writes maps in any order, and the version of a listener
 * stays what it was when only its rules have changed, so it is the content that must be compared.
 */
function ordered(key: string, value: unknown): unknown {
  if (key === 'last_updated' || key === 'version_info') return undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

interface Asking {
  /** Does not keep the process alive. */
  readonly background?: boolean;
}

/**
 * The administration of one Envoy, at a Unix socket: it shows the token to whoever asks, and so must be where no other user of
 * the machine comes.
 */
export class EnvoyAdmin {
  readonly socket: string;
  #answers = true;
  #asking = false;

  constructor(socket: string) {
    this.socket = socket;
  }

  /** Whether it served the last time that this was asked: it is asked again, without being waited for. */
  get answers(): boolean {
    if (!this.#asking) void this.#look();
    return this.#answers;
  }

  async #look(): Promise<void> {
    this.#asking = true;
    using limit = deadline(readiness);
    this.#answers = await this.ready(limit.signal, { background: true }).catch(() => false);
    this.#asking = false;
  }

  /** Whether it has its configuration and serves. */
  async ready(signal?: AbortSignal, how: Asking = {}): Promise<boolean> {
    return (await this.ask('/ready', 'GET', signal, how)).trim() === 'LIVE';
  }

  /** From now on every answer asks for its connection to be closed. Listeners stay open. */
  async drain(signal?: AbortSignal): Promise<void> {
    await this.ask('/healthcheck/fail', 'POST', signal);
  }

  /** Whether connections live on under a configuration that is no longer true. */
  async lingers(signal?: AbortSignal): Promise<boolean> {
    const text = await this.ask(
      '/stats?filter=listener_manager.total_(filter_chains|listeners)_draining',
      'GET',
      signal,
    );
    return /: [1-9]/.test(text);
  }

  /**
   * What others have under way through it now, and how much there ever was, in whatever unit; and how many requests of the
   * program behind it are under way to others.
   */
  async traffic(
    signal?: AbortSignal,
  ): Promise<{ readonly active: number; readonly total: number; readonly ours: number }> {
    const path = '/stats?format=json&filter=downstream_(rq_active|rq_total|cx_(rx|tx)_bytes_total)$';
    const { stats } = JSON.parse(await this.ask(path, 'GET', signal)) as {
      readonly stats: readonly { readonly name?: string; readonly value?: number }[];
    };
    const sum = (counted: RegExp): number =>
      stats.reduce((total, { name = '', value = 0 }) => total + (counted.test(name) ? value : 0), 0);
    return {
      // An idle HTTP connection holds nobody up.
      active: sum(/^http\.public_listener\..*rq_active$/),
      // Bytes, of questions and of answers, because Consul's check that somebody listens is a connection too, every second, but
      // a silent one.
      total: sum(/^(?:http\.public_listener\..*rq_total|tcp\.public_listener\..*[rt]x_bytes_total)$/),
      ours: sum(/^http\.upstream[._].*rq_active$/),
    };
  }

  /** How many instances there are to send requests to that are meant for this upstream, wherever its resolver leads. */
  async endpoints(service: string, signal?: AbortSignal): Promise<number> {
    interface Cluster {
      readonly name: string;
      readonly host_statuses?: readonly { readonly health_status: Readonly<Record<string, unknown>> }[];
    }
    const { configs } = JSON.parse(await this.ask('/config_dump', 'GET', signal)) as {
      readonly configs: readonly Dump[];
    };
    const { cluster_statuses } = JSON.parse(await this.ask('/clusters?format=json', 'GET', signal)) as {
      readonly cluster_statuses: readonly Cluster[];
    };
    const reached = clustersOf(configs, service);
    // A host that is well has nothing in its status but that it is.
    return cluster_statuses
      .filter(({ name }) => reached.has(name))
      .flatMap(({ host_statuses = [] }) => host_statuses)
      .filter(({ health_status }) => Object.values(health_status).every((status) => status === 'HEALTHY')).length;
  }

  /** What it was told, as one text that is another one when it was told something else. */
  async configuration(signal?: AbortSignal): Promise<string> {
    const { configs } = JSON.parse(await this.ask('/config_dump', 'GET', signal)) as {
      readonly configs: readonly Dump[];
    };
    return JSON.stringify(
      configs.filter((config) => told.test(config['@type'])),
      ordered,
    );
  }

  async ask(
    path: string,
    method: 'GET' | 'POST' = 'GET',
    signal?: AbortSignal,
    { background = false }: Asking = {},
  ): Promise<string> {
    using limit = deadline(patience, signal);
    const sent = request({ socketPath: this.socket, path, method, signal: limit.signal });
    // One that breaks in the middle of its answer is told of by the answer as well.
    sent.on('error', () => undefined).end();
    if (background) sent.once('socket', (socket) => socket.unref());
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) {
      text += chunk;
      if (text.length > most) throw new Error(`Envoy at ${this.socket} sends an endless answer to ${path}`);
    }
    return text;
  }
}
