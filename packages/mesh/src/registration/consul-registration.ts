import { milliseconds } from '../duration.ts';
import { consulCheck, type FunctionCheck } from './check.ts';
import type { Registered } from './registration.ts';
import { consulSidecar } from './sidecar-registration.ts';

/** A registration as the agent reads it. `served` says where a function is. */
export function consulRegistration(
  { name, id, port, address, tags, meta, weights, checks, sidecar, ...rest }: Registered,
  sidecarPort: number | undefined,
  served: (check: FunctionCheck) => string,
): Record<string, unknown> {
  const after = rest.deregisterCriticalServiceAfter;
  const deregisterAfter = after === false ? undefined : `${milliseconds('deregister', after)}ms`;
  const upstreams = sidecar === true ? {} : sidecar;
  return {
    Name: name,
    ID: id,
    Port: port,
    Address: address,
    Tags: tags,
    Meta: meta,
    ...(weights && { Weights: { Passing: weights.passing, Warning: weights.warning ?? 1 } }),
    Checks: checks.map((check, index) => consulCheck(check, index, { id, address, port, deregisterAfter, served })),
    ...(upstreams && { Connect: { SidecarService: consulSidecar(id, upstreams, sidecarPort) } }),
  };
}
