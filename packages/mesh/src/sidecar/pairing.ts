import { EnvoyPairingError } from '../errors/envoy-pairing-error.ts';
import type { AgentFacts } from './agent-facts.ts';

/** Pairs that Consul does not list and that our own tests run, by minor version. */
const proven: readonly { readonly consul: string; readonly envoy: string }[] = [{ consul: '1.22', envoy: '1.36' }];

/** Throws when Consul does not list the minor version of this Envoy, and our tests do not run the two. */
export function checkPairing({ version, envoys }: Pick<AgentFacts, 'version' | 'envoys'>, envoy: string): void {
  const ours = proven.filter(({ consul }) => consul === minor(version)).map((pair) => pair.envoy);
  const accepted = [...new Set([...envoys.map(minor), ...ours])].sort(byVersion);
  if (!accepted.includes(minor(envoy))) throw new EnvoyPairingError(version, envoy, accepted);
}

function minor(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}

function byVersion(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
