import type { Health } from '@quorate/core';
import { expect, test } from 'vitest';
import { Connection } from './connection.ts';
import { checkStreamOptions } from './stream-options.ts';

test('of two that have one name none hides the other', () => {
  const connection = new Connection(checkStreamOptions({ brokers: 'nobody:1' }));
  const tenant = (name: string, status: Health['status']) => ({
    name,
    stop: async () => {},
    stopped: new Promise<void>(() => {}),
    health: () => ({ status, detail: status }),
  });
  for (const one of [
    tenant('rides', 'fail'),
    tenant('rides', 'warn'),
    tenant('rides', 'pass'),
    tenant('fares', 'pass'),
  ])
    connection.add(one);
  expect(connection.health()).toEqual({
    rides: { status: 'fail', detail: 'fail' },
    'rides (2)': { status: 'warn', detail: 'warn' },
    'rides (3)': { status: 'pass', detail: 'pass' },
    fares: { status: 'pass', detail: 'pass' },
  });
});
