/** A part of what Envoy says of its configuration. */
export interface Dump {
  readonly '@type': string;
  readonly dynamic_listeners?: readonly {
    readonly name: string;
    readonly active_state?: { readonly listener: unknown };
  }[];
  readonly dynamic_route_configs?: readonly { readonly route_config: { readonly name: string } }[];
  readonly dynamic_active_clusters?: readonly {
    readonly cluster: {
      readonly name: string;
      readonly cluster_type?: { readonly typed_config?: { readonly clusters?: readonly string[] } };
    };
  }[];
}

/**
 * The clusters to which what comes in for an upstream may go: a resolver may lead to another service, a splitter to several,
 * and a cluster with a failover is made of others. So names do not tell; the listener of the upstream, and its routes, do.
 */
export function clustersOf(configs: readonly Dump[], upstream: string): ReadonlySet<string> {
  const found = new Set<string>();
  const routes = new Set<string>();
  for (const { dynamic_listeners = [] } of configs) {
    for (const { name, active_state } of dynamic_listeners) {
      // `query:127.0.0.1:9191`; of another datacenter `query?dc=dc2:…`
      const [named] = name.split(/[:?]/);
      if (named === upstream) collect(active_state?.listener, found, routes);
    }
  }
  for (const { dynamic_route_configs = [] } of configs) {
    for (const { route_config } of dynamic_route_configs) {
      if (routes.has(route_config.name)) collect(route_config, found, routes);
    }
  }
  for (const { dynamic_active_clusters = [] } of configs) {
    for (const { cluster } of dynamic_active_clusters) {
      if (!found.has(cluster.name)) continue;
      for (const part of cluster.cluster_type?.typed_config?.clusters ?? []) found.add(part);
    }
  }
  return found;
}

/** Where it leads, however deep that is said: to clusters, by weight to several, or to routes that are said elsewhere. */
function collect(value: unknown, clusters: Set<string>, routes: Set<string>): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'cluster' && typeof inner === 'string') clusters.add(inner);
    else if (key === 'route_config_name' && typeof inner === 'string') routes.add(inner);
    else if (key === 'weighted_clusters') {
      for (const { name } of (inner as { clusters?: { name?: string }[] }).clusters ?? []) if (name) clusters.add(name);
    } else collect(inner, clusters, routes);
  }
}
