import { seeded } from '@quorate/testbed';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ServiceInstance } from '../discovery/service-instance.ts';
import type { Followed } from '../discovery/watch.ts';
import { Balancer, type BalancerOptions, type Endpoint } from './balancer.ts';

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
    balancer: new Balancer('query', watch as unknown as Followed<readonly ServiceInstance[]>, options),
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

describe('power of two choices gives each instance the share of its weight, however few ask', () => {
  const seed = Number(process.env.QUORATE_SEED ?? 11);
  const requests = 6_000;
  test.each<[weights: readonly number[], callers: number]>([
    [[2, 1], 1],
    [[2, 1], 2],
    [[2, 1], 4],
    [[2, 1], 16],
    [[1, 1, 1], 1],
    [[3, 1, 1], 1],
    [[3, 1, 1], 3],
    [[5, 1, 1, 5, 5, 1], 1],
    [[5, 1, 1, 5, 5, 1], 8],
  ])('%j, callers: %i', async (weights, callers) => {
    const { next, integer } = seeded(seed);
    const { balancer } = over(
      weights.map((weight, index) => instance(`i-${index}`, { weight })),
      { random: next },
    );
    const ids: string[] = [];
    const held: Endpoint[] = [];
    for (let request = 0; request < requests; request += 1) {
      if (held.length === callers) held.splice(integer(0, callers - 1), 1)[0]?.[Symbol.dispose]();
      const endpoint = await balancer.pick();
      held.push(endpoint);
      ids.push(endpoint.instance.id);
    }
    const counts = tally(ids);
    const sum = weights.reduce((total, weight) => total + weight);
    for (const [index, weight] of weights.entries()) {
      const share = weight / sum;
      // Throws that do not know of each other, for one caller; for several, who is busy counts as well.
      const stray = 5 * Math.sqrt(requests * share * (1 - share)) + (callers > 1 ? 0.1 * requests * share : 0);
      const off = Math.abs((counts[`i-${index}`] ?? 0) - requests * share);
      expect(off, `seed ${seed}: ${JSON.stringify(counts)}`).toBeLessThan(stray);
    }
  });
});

describe('three nodes that each have an instance with the same id', () => {
  const same = ['n1', 'n2', 'n3'].map((node, index) => instance('query-8080', { node, address: `10.0.0.${index}` }));
  const [one, two, three] = same as [ServiceInstance, ServiceInstance, ServiceInstance];

  test.each(['round-robin', 'weighted', 'p2c'] as const)('%s shares among all of them', async (policy) => {
    const { balancer } = over(same, { policy, random: seeded(5).next });
    const nodes: string[] = [];
    for (let pick = 0; pick < 300; pick += 1) {
      using endpoint = await balancer.pick();
      nodes.push(endpoint.instance.node);
    }
    if (policy !== 'p2c') expect(tally(nodes)).toEqual({ n1: 100, n2: 100, n3: 100 });
    else for (const count of Object.values(tally(nodes))) expect(Math.abs(count - 100)).toBeLessThan(41);
    expect(Object.keys(tally(nodes)).sort()).toEqual(['n1', 'n2', 'n3']);
  });

  test.each(['round-robin', 'weighted', 'p2c'] as const)(
    '%s avoids those that were tried, and them only',
    async (policy) => {
      const { balancer } = over(same, { policy, random: seeded(5).next });
      for (let round = 0; round < 20; round += 1) {
        expect((await balancer.pick({ except: [one, two] })).instance).toBe(three);
        expect((await balancer.pick({ except: [three, one] })).instance).toBe(two);
      }
    },
  );

  test('the one that fails is left out', async () => {
    const { balancer } = over(same, { policy: 'round-robin', ejectAfter: 3 });
    for (let pick = 0; pick < 9; pick += 1) {
      using endpoint = await balancer.pick();
      if (endpoint.instance === two) endpoint.failed();
    }
    expect(balancer.ejected).toEqual([two]);
  });
});

describe('a request that nobody waits for any more', () => {
  test('is no failure and no success: it neither ejects nor begins the count anew', async () => {
    const { balancer } = over([a, b], { policy: 'round-robin', ejectAfter: 2 });
    const abandon = async (count: number): Promise<void> => {
      for (let picked = 0; picked < 2 * count; picked += 1) {
        using endpoint = await balancer.pick();
        endpoint.abandoned();
      }
    };
    await abandon(20);
    expect(balancer.ejected).toEqual([]);
    await fail(balancer, 'a', 1);
    await abandon(1);
    await fail(balancer, 'a', 1);
    expect(balancer.ejected).toEqual([a]);
  });

  test('an instance that answers nobody is chosen no more often than it would be busy, until it answers', async () => {
    const { balancer } = over([a, b], { ejectFor: 1_000, random: seeded(2).next });
    let late = 0;
    const ask = async (hung: boolean): Promise<void> => {
      using endpoint = await balancer.pick();
      if (endpoint.instance !== a) return;
      late += 1;
      if (hung) endpoint.abandoned();
    };
    for (let request = 0; request < 150; request += 1) await ask(true);
    expect(late).toBe(1);
    // It is tried again now and then: once for each time that is over.
    for (let second = 0; second < 10; second += 1) {
      vi.advanceTimersByTime(1_001);
      for (let request = 0; request < 50; request += 1) await ask(true);
    }
    expect(late).toBe(11);
    vi.advanceTimersByTime(1_001);
    for (let request = 0; request < 100; request += 1) await ask(false);
    expect(late).toBeGreaterThan(40);
  });
});

test('a pick among 10,000 instances costs what one among 10 does', async () => {
  vi.useRealTimers();
  const crowd = (count: number) =>
    Array.from({ length: count }, (_, index) => instance(`i-${String(index).padStart(5, '0')}`));
  const cost = async (policy: 'p2c' | 'round-robin', count: number): Promise<number> => {
    const { balancer } = over(crowd(count), { policy, ejectAfter: 1 });
    await fail(balancer, 'i-00003', count === 10 ? 1 : 0);
    let best = Infinity;
    for (let round = 0; round < 20; round += 1) {
      const begin = performance.now();
      await picks(balancer, 50);
      best = Math.min(best, performance.now() - begin);
    }
    return best;
  };
  for (const policy of ['p2c', 'round-robin'] as const) {
    const [few, many] = [await cost(policy, 10), await cost(policy, 10_000)];
    expect(many, `${policy}: ${few} and ${many} ms`).toBeLessThan(10 * few + 1);
  }
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
  const warned = instance('warned');
  expect((await balancer.pick({ except: [warned] })).instance.id).toBe('a');
  expect((await balancer.pick({ except: [warned, a] })).instance.id).toBeDefined();
  await expect(balancer.pick({ except: ['warned'] as never })).rejects.toThrow('except: expected a list of instances');
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
