import { checkNames, type Duration, InvalidArgumentError, QuorateError } from '@quorate/core';
import type { Agent } from '../agent/agent.ts';
import { fields, text } from '../agent/shape.ts';
import { checkNumber, checkText } from '../arguments.ts';
import { milliseconds } from '../duration.ts';
import type { Settings } from '../options.ts';
import { type AgentFacts, agentFacts } from './agent-facts.ts';
import { type Bootstrap, type BootstrapPlan, bootstrapOf } from './bootstrap.ts';
import { address, type EnvoyConfig, envoyConfig } from './envoy-config.ts';
import { findEnvoy } from './find-envoy.ts';
import { checkPairing } from './pairing.ts';
import type { SidecarPlan } from './sidecar-plan.ts';

export interface BootstrapOptions {
  /** Where Envoy is administered: whoever reaches it rules Envoy, and is shown the token. Default `127.0.0.1:19000`. */
  readonly admin?: string;
  /** Where the agent hands out configuration. By default the agent's host, and the port it names. */
  readonly grpc?: string;
  /** Whether it speaks TLS there. By default as the address of the agent does. */
  readonly grpcTls?: boolean;
  readonly signal?: AbortSignal;
}

export interface SidecarOptions extends Pick<BootstrapOptions, 'grpc' | 'grpcTls' | 'signal'> {
  /** The program. By default that of `QUORATE_ENVOY`, or the one on PATH. */
  readonly envoy?: string;
  /** Run an Envoy and a Consul together that nobody has tried. */
  readonly anyPairing?: boolean;
  /** How long it may take to become ready. Default 30 s. */
  readonly startWithin?: Duration;
  /** How long requests on their way may take when it stops. Default 10 s. */
  readonly drain?: Duration;
  /**
   * How long connections may live on when what they were allowed by has changed: a denied one is cut off after so long, and
   * so is a request that takes longer at that moment. In whole seconds, at least 1. Default 2 s.
   */
  readonly grace?: Duration;
  /** Worker threads. Default 2. */
  readonly concurrency?: number;
  readonly logLevel?: 'trace' | 'debug' | 'info' | 'warning' | 'error' | 'critical' | 'off';
}

/** A sidecar's registration. */
interface Registered {
  readonly id: string;
  readonly service: string;
  readonly upstreams: readonly string[];
  readonly config: EnvoyConfig;
}

interface AgentService {
  readonly ID: string;
  readonly Kind?: string;
  readonly Proxy?: {
    readonly DestinationServiceName: string;
    /** With what holds for all proxies. */
    readonly Config?: Readonly<Record<string, unknown>> | null;
    readonly Upstreams?: readonly { readonly DestinationName: string }[] | null;
  };
}

/** The bootstrap of a proxy that is registered with the agent. */
export async function readBootstrap(
  agent: Agent,
  settings: Settings,
  proxyId: string,
  options: BootstrapOptions = {},
): Promise<Bootstrap> {
  checkText('proxyId', proxyId);
  checkNames('options', options, ['admin', 'grpc', 'grpcTls', 'signal']);
  const admin = address('admin', options.admin ?? '127.0.0.1:19000');
  const proxy = await readProxy(agent, proxyId, options.signal);
  return bootstrapOf({ ...plan(proxy, settings, await agentFacts(agent, options.signal), options), admin });
}

/** Looks at the options, and gives what makes a plan of them when the sidecar starts. */
export function planSidecar(
  agent: Agent,
  settings: Settings,
  proxyId: string,
  options: SidecarOptions = {},
): (signal: AbortSignal | undefined) => Promise<SidecarPlan> {
  const names = ['envoy', 'anyPairing', 'startWithin', 'drain', 'grace', 'concurrency', 'logLevel'];
  checkNames('options', options, [...names, 'grpc', 'grpcTls', 'signal']);
  const { anyPairing = false, startWithin = 30_000, drain = 10_000, concurrency = 2, logLevel = 'warning' } = options;
  checkNumber('concurrency', concurrency, 1, 256);
  const timing = {
    startWithin: milliseconds('startWithin', startWithin),
    drain: milliseconds('drain', drain, 0),
    grace: milliseconds('grace', options.grace ?? 2_000, 1_000),
  };
  return async (signal) => {
    // The pairing comes first: what a wrong one does later does not look like it.
    const envoy = await findEnvoy(options.envoy, signal);
    const facts = await agentFacts(agent, signal);
    if (!anyPairing) checkPairing(facts, envoy.version);
    const proxy = await readProxy(agent, proxyId, signal);
    const known = plan(proxy, settings, facts, options);
    return {
      service: proxy.service,
      upstreams: proxy.upstreams,
      program: envoy.path,
      bootstrap: (socket) => bootstrapOf({ ...known, admin: socket }),
      token: known.token,
      concurrency: Math.round(concurrency),
      logLevel,
      ...timing,
    };
  };
}

async function readProxy(agent: Agent, proxyId: string, signal?: AbortSignal): Promise<Registered> {
  const { body } = await agent.call<AgentService>({
    operation: `read ${proxyId}`,
    path: `/agent/service/${encodeURIComponent(proxyId)}`,
    shape: fields({ ID: text }),
    signal,
  });
  const { ID: id, Kind: kind, Proxy: proxy } = body;
  if (kind !== 'connect-proxy' || !proxy) {
    throw new InvalidArgumentError('proxyId', 'the id of a sidecar, such as "query-8080-sidecar-proxy"', proxyId);
  }
  const upstreams = (proxy.Upstreams ?? []).map(({ DestinationName }) => DestinationName);
  const config = envoyConfig('config', proxy.Config ?? {});
  return { id, service: proxy.DestinationServiceName, upstreams, config };
}

/** All of a bootstrap but where Envoy is administered. */
function plan(
  { id, service, config }: Registered,
  settings: Settings,
  facts: AgentFacts,
  options: Pick<BootstrapOptions, 'grpc' | 'grpcTls'>,
): Omit<BootstrapPlan, 'admin'> {
  const { protocol, hostname } = new URL(settings.address);
  const tls = options.grpcTls ?? (protocol === 'https:' && (options.grpc !== undefined || facts.grpcTls !== undefined));
  const port = tls ? facts.grpcTls : facts.grpc;
  if (options.grpc === undefined && port === undefined) {
    throw new QuorateError(
      `the agent at ${settings.address} has no ${tls ? 'TLS ' : ''}gRPC port to configure Envoy from: ` +
        `set ports.${tls ? 'grpc_tls' : 'grpc'} in its configuration`,
      { code: 'no-grpc-port' },
    );
  }
  const host = hostname.replace(/^\[|\]$/g, '');
  const grpc = options.grpc === undefined ? { host, port: port as number } : address('grpc', options.grpc);
  const { ca: authorities, rejectUnauthorized } = settings.tls;
  const ca = authorities === undefined ? undefined : [authorities].flat().map(String).join('\n');
  if (tls && ca === undefined && rejectUnauthorized !== false) {
    const expected =
      "the authority that signed the agent's certificate: Envoy would send the token to anybody without it";
    throw new InvalidArgumentError('tls.ca', expected);
  }
  return {
    proxyId: id,
    service,
    datacenter: facts.datacenter,
    grpc: { ...grpc, tls, ...(ca !== undefined && { ca }) },
    token: settings.token,
    config,
  };
}
