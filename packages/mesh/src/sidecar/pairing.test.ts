import { expect, test } from 'vitest';
import { checkPairing } from './pairing.ts';

const consul = { version: '1.22.3', envoys: ['1.35.8', '1.34.12', '1.33.14'] };

test.each(['1.33.0', '1.34.12', '1.35.99', '1.36.4'])('Envoy %s goes with Consul 1.22.3', (envoy) => {
  checkPairing(consul, envoy);
});

test.each(['1.32.9', '1.37.0', '1.3.6', '2.36.0'])('Envoy %s does not, and the accepted ones are listed', (envoy) => {
  expect(() => checkPairing(consul, envoy)).toThrow(
    `Envoy ${envoy} is not known to work with Consul 1.22.3, which supports Envoy 1.33, 1.34, 1.35, 1.36.`,
  );
});

test('what our tests run with one Consul says nothing of another', () => {
  expect(() => checkPairing({ version: '1.21.0', envoys: ['1.34.1'] }, '1.36.4')).toThrow('which supports Envoy 1.34.');
});
