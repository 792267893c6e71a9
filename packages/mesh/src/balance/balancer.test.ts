import { seeded } from '@quorate/testbed';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ServiceInstance } from '../discovery/service-instance.ts';
import type { Watch } from '../discovery/watch.ts';
import { Balancer, type BalancerOptions } from './balancer.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

function instance(id: string, more: Partial<ServiceInstance> = {}): ServiceInstance {
  const fixed = { name: 'query', node: 'n', datacenter: 'dc1', address: '10.0.0.1', port: 80, tags: [], meta: {} };
  return { ...fixed, id, status: 'passing', weight: 1, ...more };
}

/** A watch that knows what the test says. */
function over(instances: readonly ServiceInstance[], options: BalancerOptions = {}) {
  const watch = { latest: instances, age: 0, failure: undefined };
  return {
    balancer: new Balancer('query', watch as unknown as Watch<readonly ServiceInstance[]>, options),
    become: (next: readonly ServiceInstance[]) => {
      watch.latest = next;
    },
  };
}

async function picks(balancer: Balancer, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let pick = 0; pick < count; pick += 1) {
    using endpoint = await balancer.pick();
    ids.push(endpoint.instance.id);
  }
  return ids;
}

function tally(ids: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const id of ids) counts[id] = (counts[id] ?? 0) + 1;
  return counts;
}

async function fail(balancer: Balancer, id: string, times: number): Promise<void> {
  for (let failed = 0; failed < times; ) {
    using endpoint = await balancer.pick();
    if (endpoint.instance.id !== id) continue;
    endpoint.failed();
    failed += 1;
  }
}

const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((id) => instance(id)) as [
  ServiceInstance,
  ServiceInstance,
  ServiceInstance,
  ServiceInstance,
];

describe('policies', () => {
  test('round robin takes turns, and goes on where it was when the set changes', async () => {
    const { balancer, become } = over([a, b, c], { policy: 'round-robin' });
    expect(await picks(balancer, 4)).toEqual(['a', 'b', 'c', 'a']);
    become([a, c, d]);
    expect(await picks(balancer, 4)).toEqual(['c', 'd', 'a', 'c']);
  });

  test('weighted is exact over a round, and evenly spread', async () => {
    const weights = [instance('a', { weight: 5 }), instance('b', { weight: 2 }), instance('c', { weight: 1 })];
    const { balancer } = over(weights, { policy: 'weighted' });
    const round = await picks(balancer, 8);
    expect(tally(round)).toEqual({ a: 5, b: 2, c: 1 });
    expect(round.join('')).not.toContain('aaa');
    expect(tally(await picks(balancer, 800))).toEqual({ a: 500, b: 200, c: 100 });
  });

  test('power of two choices: the busy one of two is never taken, and idle ones share', async () => {
    const { balancer } = over([a, b, c, d], { random: seeded(7).next });
    expect(Object.keys(tally(await picks(balancer, 100))).sort()).toEqual(['a', 'b', 'c', 'd']);
    const held = [];
    for (let pick = 0; pick < 400; pick += 1) held.push(await balancer.pick());
    // With one choice the largest of four would be about 115; with two none strays by more than a few.
    const counts = Object.values(tally(held.map(({ instance }) => instance.id)));
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(8);
    for (const endpoint of held) endpoint[Symbol.dispose]();
  });

  test('power of two choices heeds weights', async () => {
    const { balancer } = over([instance('a', { weight: 3 }), instance('b')], { random: seeded(3).next });
    const held = [];
    for (let pick = 0; pick < 100; pick += 1) held.push(await balancer.pick());
    const { a: heavy = 0 } = tally(held.map(({ instance }) => instance.id));
    expect(Math.abs(heavy - 75)).toBeLessThanOrEqual(2);
  });
});

describe('ejection', () => {
  test('after so many failures in a row, for a while, and for longer the next time', async () => {
    const { balancer } = over([a, b], { policy: 'round-robin', ejectAfter: 3, ejectFor: 1_000 });
    await fail(balancer, 'a', 2);
    expect(balancer.ejected).toEqual([]);
    await fail(balancer, 'a', 1);
    expect(balancer.ejected).toEqual([a]);
    expect(tally(await picks(balancer, 10))).toEqual({ b: 10 });
    vi.advanceTimersByTime(1_001);
    // Back, but one more failure is enough now.
    await fail(balancer, 'a', 1);
    vi.advanceTimersByTime(1_900);
    expect(balancer.ejected).toEqual([a]);
    vi.advanceTimersByTime(200);
    expect(balancer.ejected).toEqual([]);
  });

  test('a success in between begins the count anew', async () => {
    const { balancer } = over([a, b], { policy: 'round-robin', ejectAfter: 3 });
    await fail(balancer, 'a', 2);
    await picks(balancer, 2);
    await fail(balancer, 'a', 2);
    expect(balancer.ejected).toEqual([]);
  });

  test('never more than the share that is allowed: if all fail, it is not the instances', async () => {
    const { balancer } = over([a, b, c, d], { policy: 'round-robin', ejectAfter: 1, ejectAtMost: 0.5 });
    for (let pick = 0; pick < 20; pick += 1) {
      using endpoint = await balancer.pick();
      endpoint.failed();
    }
    expect(balancer.ejected).toHaveLength(2);
    const alone = over([a], { ejectAfter: 1 });
    await fail(alone.balancer, 'a', 5);
    expect(await picks(alone.balancer, 1)).toEqual(['a']);
  });

  test('is forgotten with an instance that went away', async () => {
    const { balancer, become } = over([a, b], { ejectAfter: 1 });
    await fail(balancer, 'a', 1);
    become([b]);
    expect(balancer.ejected).toEqual([]);
    become([a, b]);
    expect(balancer.ejected).toEqual([]);
  });
});

test('only instances that are well, and none that was tried if there is another', async () => {
  const sick = instance('sick', { status: 'critical', weight: 0 });
  const { balancer, become } = over([a, sick, instance('warned', { status: 'warning' })], { policy: 'round-robin' });
  expect(await picks(balancer, 3)).toEqual(['a', 'warned', 'a']);
  expect((await balancer.pick({ except: ['warned'] })).instance.id).toBe('a');
  expect((await balancer.pick({ except: ['warned', 'a'] })).instance.id).toBeDefined();
  become([sick]);
  await expect(balancer.pick()).rejects.toThrow('query: none of its instances is healthy');
  become([]);
  await expect(balancer.pick()).rejects.toMatchObject({ code: 'no-endpoint', retryable: true });
});

test('an address of IPv6 is put in brackets', async () => {
  const { balancer } = over([instance('six', { address: '::1' })]);
  expect((await balancer.pick()).address).toBe('[::1]:80');
});

test.each<[argument: string, options: object]>([
  ['policy', { policy: 'random' }],
  ['ejectAfter', { ejectAfter: 0 }],
  ['ejectAtMost', { ejectAtMost: 2 }],
  ['options.polcy', { polcy: 'p2c' }],
])('a bad %s is refused', (argument, options) => {
  expect(() => over([], options as never)).toThrow(`${argument}: expected`);
});
