import { checkNames, InvalidArgumentError } from '@quorate/core';
import { checkName, checkPort, checkText } from '../arguments.ts';
import { envoyConfig } from '../sidecar/envoy-config.ts';

export interface Upstream {
  /** The port on loopback behind which the other service is. */
  readonly port: number;
  readonly datacenter?: string;
  /** Settings of Consul's for this upstream: `{ connect_timeout_ms: 500 }`. */
  readonly config?: Readonly<Record<string, unknown>>;
}

export interface SidecarRegistration {
  /** Other services, and the port on loopback behind which each is. */
  readonly upstreams?: Readonly<Record<string, number | Upstream>>;
  /** The port where other sidecars reach this one. By default one that the agent chooses. */
  readonly port?: number;
  /** Settings of Consul's for the proxy: `{ local_request_timeout_ms: 1000, envoy_prometheus_bind_addr: '0.0.0.0:9102' }`. */
  readonly config?: Readonly<Record<string, unknown>>;
}

export function checkSidecar(sidecar: SidecarRegistration): void {
  checkNames('sidecar', sidecar, ['upstreams', 'port', 'config']);
  const { upstreams = {}, port, config = {} } = sidecar;
  if (port !== undefined) checkPort('sidecar.port', port);
  if (typeof upstreams !== 'object' || upstreams === null) {
    throw new InvalidArgumentError('sidecar.upstreams', 'ports by the name of a service', upstreams);
  }
  if (typeof config !== 'object' || config === null)
    throw new InvalidArgumentError('sidecar.config', 'an object', config);
  envoyConfig('sidecar.config', config);
  const taken = new Map<number, string>();
  for (const [name, upstream] of Object.entries(upstreams)) {
    const argument = `sidecar.upstreams.${name}`;
    checkName(argument, name);
    if (typeof upstream === 'object') checkNames(argument, upstream, ['port', 'datacenter', 'config']);
    const local = portOf(upstream);
    checkPort(argument, local);
    if (typeof upstream === 'object' && upstream.datacenter !== undefined) {
      checkText(`${argument}.datacenter`, upstream.datacenter);
    }
    const other = taken.get(local);
    if (other !== undefined) throw new InvalidArgumentError(argument, `a port that ${other} does not have`, local);
    taken.set(local, name);
  }
}

function portOf(upstream: number | Upstream): number {
  return typeof upstream === 'number' ? upstream : upstream.port;
}

export function proxyIdOf(instance: string): string {
  return `${instance}-sidecar-proxy`;
}

/** As the agent reads it. The port is left out to let the agent choose. `well`: whether nothing of the service fails at first. */
export function consulSidecar(
  id: string,
  { upstreams = {}, config }: SidecarRegistration,
  { port, well }: { readonly port: number | undefined; readonly well: boolean },
): Record<string, unknown> {
  // The proxy is as well as the service behind it, and only while Envoy listens. Consul's own checks would look for that
  // every 10 s: so long would a new instance wait for its first request.
  const listens = { CheckID: `service:${proxyIdOf(id)}:listens`, Name: 'Envoy listens', Interval: '1s', Timeout: '1s' };
  const alias = {
    CheckID: `service:${proxyIdOf(id)}:alias`,
    Name: `${id} is healthy`,
    AliasService: id,
    // The agent registers a proxy a second time by itself, with the configuration from the catalog, and what changed just
    // before that it does not tell its servers for a minute or two: a check should begin as what it will be.
    ...(well && { Status: 'passing' }),
  };
  return {
    ...(port !== undefined && { Port: port }),
    Checks: port === undefined ? [alias] : [alias, { ...listens, TCP: `127.0.0.1:${port}` }],
    Proxy: {
      ...(config && { Config: config }),
      Upstreams: Object.entries(upstreams).map(([name, upstream]) => ({
        DestinationType: 'service',
        DestinationName: name,
        LocalBindPort: portOf(upstream),
        ...(typeof upstream === 'object' && upstream.datacenter !== undefined && { Datacenter: upstream.datacenter }),
        ...(typeof upstream === 'object' && upstream.config && { Config: upstream.config }),
      })),
    },
  };
}
