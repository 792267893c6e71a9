import type { Agent } from '../agent/agent.ts';
import { fields, text } from '../agent/shape.ts';

/** What the agent says of itself. */
export interface AgentFacts {
  readonly version: string;
  readonly datacenter: string;
  readonly node: string;
  /** The versions of Envoy that this Consul lists. */
  readonly envoys: readonly string[];
  /** The ports where Envoy gets its configuration; undefined where it is switched off. */
  readonly grpc: number | undefined;
  readonly grpcTls: number | undefined;
}

interface Self {
  readonly Config: { readonly Version: string; readonly Datacenter: string; readonly NodeName: string };
  readonly xDS?: {
    readonly SupportedProxies?: { readonly envoy?: readonly string[] };
    readonly Ports?: { readonly Plaintext: number; readonly TLS: number };
  } | null;
}

const self = fields({ Config: fields({ Version: text, Datacenter: text, NodeName: text }) });

export async function agentFacts(agent: Agent, signal?: AbortSignal): Promise<AgentFacts> {
  const { body } = await agent.ask<Self>(
    { operation: 'ask the agent about itself', path: '/agent/self', shape: self, signal },
    (client, call) => client.agent.self({ ...call }),
  );
  const { Version, Datacenter, NodeName } = body.Config;
  const { Plaintext = -1, TLS = -1 } = body.xDS?.Ports ?? {};
  return {
    version: Version,
    datacenter: Datacenter,
    node: NodeName,
    envoys: body.xDS?.SupportedProxies?.envoy ?? [],
    grpc: Plaintext > 0 ? Plaintext : undefined,
    grpcTls: TLS > 0 ? TLS : undefined,
  };
}
