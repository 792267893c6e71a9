import { InvalidArgumentError } from '@quorate/core';
import { checkPort } from '../arguments.ts';

/** What of a proxy's settings an Envoy is started with. */
export interface EnvoyConfig {
  readonly clusters: readonly unknown[];
  readonly listeners: readonly unknown[];
  readonly sinks: readonly unknown[];
  readonly tags: readonly { readonly tag_name: string; readonly fixed_value: string }[];
  /** Instead of our own, and of the tags. */
  readonly stats: unknown;
  readonly flushInterval: string | undefined;
  readonly tracing: unknown;
  /** Where others may read its figures: for Prometheus, and as they are. */
  readonly prometheus: Address | undefined;
  readonly figures: Address | undefined;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Those that Consul reads when it configures a running Envoy. */
const ofConsul = new Set([
  'envoy_public_listener_json',
  'envoy_listener_tracing_json',
  'envoy_local_cluster_json',
  'envoy_dns_discovery_type',
]);

/** What Consul reads for gateways, which a sidecar has no use for, and gets all the same with the settings for all proxies. */
const ofGateways = /^envoy_(?:mesh_)?gateway_/;

const ours = [
  'envoy_dogstatsd_url',
  'envoy_extra_static_clusters_json',
  'envoy_extra_static_listeners_json',
  'envoy_extra_stats_sinks_json',
  'envoy_prometheus_bind_addr',
  'envoy_stats_bind_addr',
  'envoy_stats_config_json',
  'envoy_stats_flush_interval',
  'envoy_stats_tags',
  'envoy_statsd_url',
  'envoy_tracing_json',
];

/**
 * Consul's names and meanings. A name that begins with `envoy_` and that neither Consul nor we know would be ignored, and so is
 * refused; so are those of which Consul's own command makes more than we do: templates, and its telemetry collector.
 */
export function envoyConfig(argument: string, config: Readonly<Record<string, unknown>>): EnvoyConfig {
  for (const name of Object.keys(config)) {
    if (!name.startsWith('envoy_') || ours.includes(name)) continue;
    if (ofConsul.has(name) || ofGateways.test(name)) continue;
    throw new InvalidArgumentError(`${argument}.${name}`, `one of ${[...ours, ...ofConsul].join(', ')}`);
  }
  const read = <T>(name: string, as: (argument: string, value: string) => T): T | undefined => {
    const value = config[name];
    if (value === undefined || value === '') return undefined;
    checkJsonText(`${argument}.${name}`, value);
    return as(`${argument}.${name}`, value);
  };
  const statsd = read('envoy_statsd_url', (name, url) => sink('statsd', 'StatsdSink', name, url));
  const dogStatsd = read('envoy_dogstatsd_url', (name, url) => sink('dog_statsd', 'DogStatsdSink', name, url));
  return {
    clusters: read('envoy_extra_static_clusters_json', list) ?? [],
    listeners: read('envoy_extra_static_listeners_json', list) ?? [],
    sinks: [
      ...(statsd === undefined ? [] : [statsd]),
      ...(dogStatsd === undefined ? [] : [dogStatsd]),
      ...(read('envoy_extra_stats_sinks_json', list) ?? []),
    ],
    tags: tags(`${argument}.envoy_stats_tags`, config.envoy_stats_tags),
    stats: read('envoy_stats_config_json', json),
    flushInterval: read('envoy_stats_flush_interval', (_, text) => text),
    tracing: read('envoy_tracing_json', json),
    prometheus: read('envoy_prometheus_bind_addr', address),
    figures: read('envoy_stats_bind_addr', address),
  };
}

function checkJsonText(argument: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') throw new InvalidArgumentError(argument, 'a string', value);
}

function json(argument: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError(argument, 'JSON');
  }
}

/** Several objects may follow one another, with commas in between. */
function list(argument: string, text: string): readonly unknown[] {
  try {
    return JSON.parse(`[${text}]`) as unknown[];
  } catch {
    throw new InvalidArgumentError(argument, 'JSON: objects with commas in between');
  }
}

function tags(argument: string, value: unknown): EnvoyConfig['tags'] {
  if (value === undefined || value === null) return [];
  const given = Array.isArray(value) ? value : [value];
  return given.map((tag) => {
    const [, name, fixed] = /^([^=]+)=(.*)$/s.exec(String(tag)) ?? [];
    if (name === undefined || fixed === undefined)
      throw new InvalidArgumentError(argument, 'tags such as "zone=a"', tag);
    return { tag_name: name, fixed_value: fixed };
  });
}

export function address(argument: string, value: string): Address {
  const [, host, digits] = /^\[?(.+?)\]?:(\d+)$/.exec(value) ?? [];
  if (host === undefined) throw new InvalidArgumentError(argument, 'an address such as "127.0.0.1:9102"', value);
  const port = Number(digits);
  checkPort(argument, port);
  return { host, port };
}

/** `udp://127.0.0.1:9125`, `unix:///run/statsd.sock`, or the name of an environment variable that says it: `$STATSD_URL`. */
function sink(name: string, type: string, argument: string, value: string): unknown {
  const url = value.startsWith('$') ? process.env[value.slice(1)] : value;
  const parsed = URL.parse(url ?? '');
  const place = ((): unknown => {
    if (parsed?.protocol === 'unix:') return { pipe: { path: parsed.pathname } };
    if (parsed?.protocol === 'udp:' && parsed.port !== '') {
      // An IPv6 address is in brackets in a URL, and in nothing else.
      return { socket_address: { address: parsed.hostname.replace(/^\[|\]$/g, ''), port_value: Number(parsed.port) } };
    }
    // As it was given: what a variable holds may be a secret.
    throw new InvalidArgumentError(argument, 'a URL such as "udp://127.0.0.1:9125", or a variable that has one', value);
  })();
  return {
    name: `envoy.stat_sinks.${name}`,
    typed_config: { '@type': `type.googleapis.com/envoy.config.metrics.v3.${type}`, address: place },
  };
}
