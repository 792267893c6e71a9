import { deadline } from '@quorate/core';

/** How long Envoy may take to answer about itself. */
const patience = 5_000;

/** The most of an answer that is read: a configuration of thousands of endpoints has megabytes. */
const most = 64 * 1024 * 1024;

/** The administration of one Envoy. */
export class EnvoyAdmin {
  /** `127.0.0.1:19000`. */
  readonly address: string;

  constructor(address: string) {
    this.address = address;
  }

  /** Whether it has its configuration and serves. */
  async ready(signal?: AbortSignal): Promise<boolean> {
    return (await this.#ask('/ready', 'GET', signal)).trim() === 'LIVE';
  }

  /** Connections are asked to end, and after the drain time listeners close. */
  async drain(signal?: AbortSignal): Promise<void> {
    await this.#ask('/drain_listeners?graceful', 'POST', signal);
  }

  /** Requests and plain connections: those that are on their way through it now, and all there ever were. */
  async traffic(signal?: AbortSignal): Promise<{ readonly active: number; readonly total: number }> {
    const text = await this.#ask('/stats?format=json&filter=downstream_(rq|cx)_(active|total)$', 'GET', signal);
    const { stats } = JSON.parse(text) as {
      readonly stats: readonly { readonly name?: string; readonly value?: number }[];
    };
    // An idle HTTP connection holds nobody up.
    const sum = (counted: RegExp): number =>
      stats.reduce((total, { name = '', value = 0 }) => total + (counted.test(name) ? value : 0), 0);
    return {
      active: sum(/^(?:http\.(?!admin\.).*rq_active|tcp\..*cx_active)$/),
      total: sum(/^(?:http\.(?!admin\.).*rq_total|tcp\..*cx_total)$/),
    };
  }

  /** Its configuration as it holds it now, without what changes by itself. */
  async configuration(signal?: AbortSignal): Promise<string> {
    const text = await this.#ask(
      '/config_dump?mask=dynamic_listeners,dynamic_active_clusters,dynamic_route_configs',
      'GET',
      signal,
    );
    return text.replaceAll(/"(?:last_updated|version_info)": "[^"]*"/g, '""');
  }

  async #ask(path: string, method: 'GET' | 'POST', signal?: AbortSignal): Promise<string> {
    using limit = deadline(patience, signal);
    const response = await fetch(`http://${this.address}${path}`, { method, signal: limit.signal });
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > most) throw new Error(`Envoy at ${this.address} answers ${path} without an end`);
    }
    return text;
  }
}
