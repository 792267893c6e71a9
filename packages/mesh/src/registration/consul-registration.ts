import { milliseconds } from '../duration.ts';
import { consulCheck, type FunctionCheck } from './check.ts';
import type { Registered } from './registration.ts';
import { consulSidecar } from './sidecar-registration.ts';

/** What is said of an instance besides its registration. */
export interface Said {
  readonly sidecarPort: number | undefined;
  /** Why it is in maintenance; undefined when it is not. */
  readonly maintenance: string | undefined;
  /** Where a function is served. */
  readonly served: (check: FunctionCheck) => string;
}

/** A registration as the agent reads it. */
export function consulRegistration(
  { name, id, port, address, tags, meta, weights, checks, sidecar, ...rest }: Registered,
  { sidecarPort, maintenance, served }: Said,
): Record<string, unknown> {
  const after = rest.deregisterCriticalServiceAfter;
  const deregisterAfter = after === false ? undefined : `${milliseconds('deregister', after)}ms`;
  const upstreams = sidecar === true ? {} : sidecar;
  const well = maintenance === undefined && checks.every((check) => 'ttl' in check);
  return {
    Name: name,
    ID: id,
    Port: port,
    Address: address,
    Tags: tags,
    Meta: meta,
    ...(weights && { Weights: { Passing: weights.passing, Warning: weights.warning ?? 1 } }),
    Checks: [
      ...checks.map((check, index) => consulCheck(check, index, { id, address, port, deregisterAfter, served })),
      ...(maintenance === undefined ? [] : [maintenanceCheck(id, maintenance)]),
    ],
    ...(upstreams && { Connect: { SidecarService: consulSidecar(id, upstreams, { port: sidecarPort, well }) } }),
  };
}

/**
 * Consul's own check of an instance in maintenance, which a registration replaces like every other: said together with it,
 * nobody is sent there in between. Ended as ever, by its id. The TTL says that it is nobody's to look at.
 */
function maintenanceCheck(id: string, reason: string): Record<string, unknown> {
  return {
    CheckID: `_service_maintenance:${id}`,
    Name: 'Service Maintenance Mode',
    Notes: reason,
    Status: 'critical',
    TTL: '87600h',
  };
}
