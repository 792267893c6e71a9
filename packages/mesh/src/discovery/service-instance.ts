import type { Shape } from '../agent/shape.ts';

export type InstanceStatus = 'passing' | 'warning' | 'critical' | 'maintenance';

/** One instance of a service, as Consul knows it: by its node and its id together. */
export interface ServiceInstance {
  /** Unique on its node: the agent of another node may have the same one. */
  readonly id: string;
  readonly name: string;
  readonly node: string;
  readonly datacenter: string;
  /** The instance's own address, or its node's where it has none. */
  readonly address: string;
  /** 0 where it was registered without one. */
  readonly port: number;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
  /** As bad as the worst of its checks and its node's. */
  readonly status: InstanceStatus;
  /** Its share of the load as it is now. */
  readonly weight: number;
}

/** By id, then by node: 0 for the same instance. */
export function compareInstances(
  a: Pick<ServiceInstance, 'node' | 'id'>,
  b: Pick<ServiceInstance, 'node' | 'id'>,
): number {
  return compare(a.id, b.id) || compare(a.node, b.node);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** An entry of `/v1/health/service`. */
export interface HealthEntry {
  readonly Node: {
    readonly Node: string;
    readonly Address: string;
    readonly Datacenter: string;
    readonly ModifyIndex?: number;
  };
  readonly Service: {
    readonly ID: string;
    readonly Service: string;
    readonly Address: string;
    /** Left out where it is 0. */
    readonly Port?: number;
    readonly Tags: readonly string[] | null;
    readonly Meta: Readonly<Record<string, string>> | null;
    readonly Weights?: { readonly Passing: number; readonly Warning: number };
    readonly ModifyIndex?: number;
  };
  readonly Checks: readonly { readonly CheckID: string; readonly Status: string; readonly ModifyIndex?: number }[];
}

/** As much of it as an instance cannot do without. By hand, because an answer may have thousands. */
export const healthEntry: Shape = (body) => {
  const { Node, Service, Checks } = (body ?? {}) as Partial<HealthEntry>;
  return (
    typeof Node?.Node === 'string' &&
    typeof Service?.ID === 'string' &&
    (Service.Port === undefined || typeof Service.Port === 'number') &&
    Array.isArray(Checks) &&
    Checks.every((check) => typeof check?.Status === 'string')
  );
};

export function serviceInstance({ Node, Service, Checks }: HealthEntry): ServiceInstance {
  const status = worst(Checks);
  const { Passing = 1, Warning = 1 } = Service.Weights ?? {};
  return {
    id: Service.ID,
    name: Service.Service,
    node: Node.Node,
    datacenter: Node.Datacenter,
    address: Service.Address || Node.Address,
    port: Service.Port ?? 0,
    tags: Service.Tags ?? [],
    meta: Service.Meta ?? {},
    status,
    weight: status === 'passing' ? Passing : status === 'warning' ? Warning : 0,
  };
}

function worst(checks: HealthEntry['Checks']): InstanceStatus {
  // Maintenance is a critical check with a name of its own.
  if (checks.some(({ CheckID }) => /^_(?:node|service)_maintenance/.test(CheckID))) return 'maintenance';
  if (checks.some(({ Status }) => Status === 'critical')) return 'critical';
  return checks.some(({ Status }) => Status === 'warning') ? 'warning' : 'passing';
}
