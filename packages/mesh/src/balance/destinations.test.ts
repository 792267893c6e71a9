import { expect, test } from 'vitest';
import type { ServiceInstance } from '../discovery/service-instance.ts';
import type { Followed } from '../discovery/watch.ts';
import { Balancer } from './balancer.ts';
import { Destinations } from './destinations.ts';

const instance: ServiceInstance = {
  ...{ id: 'a', name: 'a', node: 'n', datacenter: 'dc1', address: '10.0.0.1', port: 80 },
  ...{ tags: [], meta: {}, status: 'passing', weight: 1 },
};

/** A watch that has its first answer when it is told, and those of them that are open. */
function watches() {
  const open = new Set<string>();
  const answer = new Map<string, () => void>();
  const make = (service: string): Balancer => {
    open.add(service);
    const { promise, resolve } = Promise.withResolvers<void>();
    const watch = {
      latest: undefined as readonly ServiceInstance[] | undefined,
      first: promise,
      [Symbol.asyncDispose]: async () => {
        open.delete(service);
        resolve();
      },
    };
    answer.set(service, () => {
      watch.latest = [instance];
      resolve();
    });
    return new Balancer(service, watch as unknown as Followed<readonly ServiceInstance[]>);
  };
  return { open, answer, destinations: new Destinations(make) };
}

test('fewer services are followed than an agent allows connections: that asked for least lately is let go', () => {
  const { open, destinations } = watches();
  for (let service = 0; service < 300; service += 1) {
    destinations.get('popular');
    destinations.get(`s-${service}`);
  }
  expect(open.size).toBeLessThanOrEqual(100);
  expect(open).toContain('popular');
  expect(open).toContain('s-299');
  expect(open).not.toContain('s-0');
});

test('one that somebody waits for is not let go before it has answered', async () => {
  const { open, answer, destinations } = watches();
  const picked = destinations.get('slow').balancer.pick();
  const abort = new AbortController();
  const given = destinations.get('given-up').balancer.pick({ signal: abort.signal });
  abort.abort(new Error('enough'));
  await expect(given).rejects.toThrow('enough');
  for (let service = 0; service < 300; service += 1) destinations.get(`s-${service}`);
  expect(open).toContain('slow');
  expect(open).not.toContain('given-up');
  answer.get('slow')?.();
  expect((await picked).instance).toBe(instance);
  destinations.get('another');
  expect(open).not.toContain('slow');
  expect(open.size).toBeLessThanOrEqual(100);
  const last = destinations.get('last').balancer.pick();
  await destinations.close();
  await expect(last).rejects.toThrow('last: it is not followed any more');
});
