import type { Address } from './envoy-config.ts';

const filters = 'type.googleapis.com/envoy.extensions.filters';

/** A listener that shows a part of Envoy's administration to others, and nothing else of it. */
export function figuresListener(
  name: string,
  { host, port }: Address,
  match: Readonly<Record<string, string>>,
  rewrite: string,
): unknown {
  const routes = [
    { match, route: { cluster: 'self_admin', prefix_rewrite: rewrite } },
    { match: { prefix: '/' }, direct_response: { status: 404 } },
  ];
  const manager = {
    '@type': `${filters}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: name,
    codec_type: 'HTTP1',
    route_config: { name: 'self_admin_route', virtual_hosts: [{ name: 'self_admin', domains: ['*'], routes }] },
    http_filters: [
      { name: 'envoy.filters.http.router', typed_config: { '@type': `${filters}.http.router.v3.Router` } },
    ],
  };
  return {
    name: `${name}_listener`,
    address: { socket_address: { address: host, port_value: port } },
    filter_chains: [{ filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }] }],
  };
}

/** Envoy's own administration at this address, for these listeners. */
export function selfAdmin(address: unknown): unknown {
  const options = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  return {
    name: 'self_admin',
    ignore_health_on_host_removal: false,
    connect_timeout: '5s',
    type: 'STATIC',
    typed_extension_protocol_options: {
      [options]: { '@type': `type.googleapis.com/${options}`, explicit_http_config: { http_protocol_options: {} } },
    },
    load_assignment: {
      cluster_name: 'self_admin',
      endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }],
    },
  };
}
