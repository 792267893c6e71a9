import { InvalidArgumentError } from '@quorate/core';
import { checkKey, checkName, checkService } from '../arguments.ts';

/**
 * Rules for Consul's tokens: for each thing that this package does, the least that it needs. Join those that a program
 * needs, and make a policy of them:
 *
 *     [policies.register('query'), policies.discover('rides')].join('\n')
 *
 * Each is tested: with it alone the operation works, and without it, it does not.
 */
export const policies: {
  /** Register this service, with or without a sidecar; keep it, take it into maintenance, deregister it. */
  readonly register: (service: string) => string;
  /** Find and watch these services; all, when none is named. */
  readonly discover: (...services: readonly string[]) => string;
  /** Run this service's sidecar: what Envoy needs, and what we look up before we start it. */
  readonly sidecar: (service: string) => string;
  /** A certificate for programs that speak mutual TLS themselves, and asking who may come in. */
  readonly identity: (service: string) => string;
  /** Say who may talk to this service. */
  readonly intentions: (destination: string) => string;
  /** Read who may talk to this service. */
  readonly readIntentions: (destination: string) => string;
  /** Defaults, resolver, splitter and router of this service; `others` are those that they lead to. */
  readonly config: (service: string, ...others: readonly string[]) => string;
  /** What holds for all proxies. It is a right over the whole cluster. */
  readonly proxyDefaults: () => string;
  /** Read and write the keys that begin so. */
  readonly kv: (prefix: string) => string;
  readonly readKv: (prefix: string) => string;
  /** Sessions, by way of the agent of any node. */
  readonly session: () => string;
} = {
  register: (service) =>
    [rule('service', service, 'write'), rule('service', `${service}-sidecar-proxy`, 'write')].join('\n'),
  discover: (...services) =>
    [
      ...(services.length === 0
        ? ['service_prefix "" { policy = "read" }']
        : services.map((name) => {
            checkService('service', name);
            if (/[${]/.test(name)) throw new InvalidArgumentError('service', 'a name without $ and {', name);
            return `service "${name}" { policy = "read" }`;
          })),
      'node_prefix "" { policy = "read" }',
    ].join('\n'),
  sidecar: (service) =>
    [
      rule('service', service, 'write'),
      rule('service', `${service}-sidecar-proxy`, 'write'),
      // Where its upstreams are, which may change while it runs.
      'service_prefix "" { policy = "read" }',
      'node_prefix "" { policy = "read" }',
      // The agent's version, ports and list of Envoys.
      'agent_prefix "" { policy = "read" }',
    ].join('\n'),
  identity: (service) => rule('service', service, 'write'),
  intentions: (destination) => {
    checkName('service', destination);
    return `service "${destination}" {\n  policy = "read"\n  intentions = "write"\n}`;
  },
  readIntentions: (destination) => {
    checkName('service', destination);
    return `service "${destination}" {\n  policy = "read"\n  intentions = "read"\n}`;
  },
  config: (service, ...others) =>
    [rule('service', service, 'write'), ...others.map((name) => rule('service', name, 'read'))].join('\n'),
  proxyDefaults: () => 'mesh = "write"',
  kv: (prefix) => keyRule(prefix, 'write'),
  readKv: (prefix) => keyRule(prefix, 'read'),
  session: () => 'session_prefix "" { policy = "write" }',
};

function rule(kind: 'service', name: string, policy: 'read' | 'write'): string {
  checkName('service', name);
  return `${kind} "${name}" { policy = "${policy}" }`;
}

function keyRule(prefix: string, policy: 'read' | 'write'): string {
  checkKey('prefix', prefix);
  // It goes into a language of Consul's: a quote in it could end the text and begin another rule.
  if (/["\\\n${]/.test(prefix))
    throw new InvalidArgumentError('prefix', 'a prefix without quotes, backslashes, $ and {', prefix);
  return `key_prefix "${prefix}" { policy = "${policy}" }`;
}
