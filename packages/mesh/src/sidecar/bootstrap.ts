import { isIP } from 'node:net';
import type { Address, EnvoyConfig } from './envoy-config.ts';
import { figuresListener, selfAdmin } from './figures-listener.ts';
import { statsTags } from './stats-tags.ts';

export interface BootstrapPlan {
  readonly proxyId: string;
  /** The service the proxy stands for. */
  readonly service: string;
  readonly datacenter: string;
  /** Where the agent hands out configuration; with the authority to trust where it speaks TLS. */
  readonly grpc: { readonly host: string; readonly port: number; readonly ca?: string; readonly tls: boolean };
  readonly token: string | undefined;
  /** The path of a Unix socket, or a host and a port. */
  readonly admin: Address | string;
  /** What the registration of the proxy says of Envoy. */
  readonly config: EnvoyConfig;
}

/** An Envoy bootstrap, as JSON. It holds the token: keep it to yourself. */
export type Bootstrap = Readonly<Record<string, unknown>>;

/**
 * All that an Envoy must know before it can ask Consul for the rest: who it is, where the agent is, and the token to show
 * there. Equal in meaning to what `consul connect envoy -bootstrap` prints; a test compares the two.
 */
export function bootstrapOf({ proxyId, service, datacenter, grpc, token, admin, config }: BootstrapPlan): Bootstrap {
  const { prometheus, figures } = config;
  const listeners = [
    ...config.listeners,
    ...(prometheus
      ? [figuresListener('envoy_prometheus_metrics', prometheus, { path: '/metrics' }, '/stats/prometheus')]
      : []),
    ...(figures ? [figuresListener('envoy_metrics', figures, { prefix: '/stats' }, '/stats')] : []),
  ];
  const own = prometheus || figures ? [selfAdmin(at(admin))] : [];
  const fromAgent = { ads: {}, initial_fetch_timeout: '0s', resource_api_version: 'V3' };
  return {
    admin: { address: at(admin), access_log: [nowhere] },
    node: {
      id: proxyId,
      cluster: service,
      metadata: { namespace: 'default', partition: 'default' },
    },
    layered_runtime: {
      layers: [
        // Routes by regular expression may be larger than Envoy would allow.
        { name: 'base', static_layer: { 're2.max_program_size.error_level': 1_048_576 } },
      ],
    },
    static_resources: {
      clusters: [agentCluster(grpc), ...config.clusters, ...own],
      ...(listeners.length > 0 && { listeners }),
    },
    stats_config: config.stats ?? {
      stats_tags: [...config.tags, ...statsTags(service, datacenter)],
      use_all_default_tags: true,
    },
    ...(config.sinks.length > 0 && { stats_sinks: config.sinks }),
    ...(config.flushInterval !== undefined && { stats_flush_interval: config.flushInterval }),
    ...(config.tracing !== undefined && { tracing: config.tracing }),
    dynamic_resources: {
      lds_config: fromAgent,
      cds_config: fromAgent,
      ads_config: {
        api_type: 'DELTA_GRPC',
        transport_api_version: 'V3',
        grpc_services: {
          initial_metadata: [{ key: 'x-consul-token', value: token ?? '' }],
          envoy_grpc: { cluster_name: 'local_agent' },
        },
      },
    },
  };
}

const typed = 'type.googleapis.com/envoy.extensions';

const nowhere = {
  name: 'envoy.access_loggers.file',
  typed_config: { '@type': `${typed}.access_loggers.file.v3.FileAccessLog`, path: '/dev/null' },
};

function agentCluster({ host, port, ca, tls }: BootstrapPlan['grpc']): unknown {
  const http2 = `${typed}.upstreams.http.v3.HttpProtocolOptions`;
  return {
    name: 'local_agent',
    type: isIP(host) ? 'STATIC' : 'STRICT_DNS',
    connect_timeout: '1s',
    ignore_health_on_host_removal: false,
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': http2,
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
    ...(tls && {
      transport_socket: {
        name: 'tls',
        typed_config: {
          '@type': `${typed}.transport_sockets.tls.v3.UpstreamTlsContext`,
          common_tls_context: ca === undefined ? {} : { validation_context: { trusted_ca: { inline_string: ca } } },
        },
      },
    }),
    load_assignment: {
      cluster_name: 'local_agent',
      endpoints: [{ lb_endpoints: [{ endpoint: { address: at({ host, port }) } }] }],
    },
  };
}

function at(address: Address | string): unknown {
  if (typeof address === 'string') return { pipe: { path: address, mode: 0o600 } };
  return { socket_address: { address: address.host, port_value: address.port } };
}
