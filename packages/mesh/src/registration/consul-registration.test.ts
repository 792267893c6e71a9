import { expect, test } from 'vitest';
import type { Check } from './check.ts';
import { consulRegistration } from './consul-registration.ts';
import { checkRegistration } from './registration.ts';

/** What each check begins as; what is not said, Consul takes to be critical. */
function first(checks: readonly Check[], maintenance?: string): Record<string, unknown> {
  const registration = checkRegistration({ name: 'rides', id: 'rides-1', port: 1, checks, sidecar: { port: 2 } });
  const said = { sidecarPort: 2, maintenance, served: () => 'http://127.0.0.1:3/check' };
  const { Checks: own, Connect } = consulRegistration(registration, said) as unknown as Registration;
  const all = [...own, ...Connect.SidecarService.Checks];
  return Object.fromEntries(all.map(({ CheckID, Status }) => [CheckID, Status]));
}

interface Registration {
  readonly Checks: readonly First[];
  readonly Connect: { readonly SidecarService: { readonly Checks: readonly First[] } };
}

interface First {
  readonly CheckID: string;
  readonly Status?: string;
}

// 5 of 360 sidecars that were registered together stayed critical for a minute, as the agent's servers saw it, while the check
// of the service behind them began as critical and passed a moment later.
test('checks that are about to pass begin as passing, so that there is no change for the agent to lose', () => {
  const listens = { 'service:rides-1-sidecar-proxy:listens': undefined };
  expect(first([])).toEqual({ 'service:rides-1-sidecar-proxy:alias': 'passing', ...listens });
  expect(first([{ ttl: '30s' }])).toEqual({
    'service:rides-1:1': 'passing',
    'service:rides-1-sidecar-proxy:alias': 'passing',
    ...listens,
  });
});

test('a sidecar begins as critical where its service does: with a check that looks, or in maintenance', () => {
  for (const check of [{ http: '/health' }, { tcp: '127.0.0.1:1' }, { grpc: '127.0.0.1:1' }, { run: () => true }]) {
    expect(first([{ ttl: '30s' }, check])).toMatchObject({
      'service:rides-1:2': undefined,
      'service:rides-1-sidecar-proxy:alias': undefined,
    });
  }
  expect(first([], 'a new disk')).toMatchObject({ 'service:rides-1-sidecar-proxy:alias': undefined });
});
