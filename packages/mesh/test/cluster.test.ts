import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { RequestListener } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { eventually, type Server } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { describe, expect, onTestFinished } from 'vitest';
import { type Instance, Mesh, type ServiceInstance } from '../src/index.ts';
import { freePort, HttpService } from './http-service.ts';

// Without a leader an agent waits for one, for so long, before it says that there is none.
const config = { performance: { raft_multiplier: 1, rpc_hold_timeout: '1s' } };
const test = bedTest({ consul: { servers: 3, addresses: 'own', config } });

interface Three {
  readonly consul: {
    server(number: number): Server;
    urlOf(agent: Server): string;
    addressOf(agent: Server): string;
  };
}

interface Place {
  readonly node: string;
  readonly service: HttpService;
  readonly mesh: Mesh;
  readonly instance: Instance;
}

/** The same instance on three nodes: same name, same id, same port, each at its agent's address. It answers with its node. */
async function onThreeNodes(bed: Three, name: string, stack: AsyncDisposableStack): Promise<[Place, Place, Place]> {
  const port = await freePort();
  const places: Place[] = [];
  for (const agent of [1, 2, 3].map((number) => bed.consul.server(number))) {
    const answer: RequestListener = (_, response) => response.end(agent.name);
    const service = stack.use(await HttpService.start(answer, { host: bed.consul.addressOf(agent), port }));
    const mesh = stack.use(new Mesh({ address: bed.consul.urlOf(agent) }));
    const instance = stack.use(await mesh.register({ name, port, checks: [] }));
    places.push({ node: agent.name, service, mesh, instance });
  }
  expect(new Set(places.map(({ instance }) => instance.id)).size).toBe(1);
  return places as [Place, Place, Place];
}

function nodesOf(instances: readonly ServiceInstance[] | undefined): string[] | undefined {
  return instances?.map(({ node }) => node);
}

describe('one service with the same id on three agents', () => {
  test('is three instances: found, watched, and one by one taken away and brought back', async ({ bed }) => {
    await using stack = new AsyncDisposableStack();
    const [one, two, three] = await onThreeNodes(bed, 'watched', stack);
    const all = [one.node, two.node, three.node];
    await using watch = one.mesh.watch('watched');
    await eventually('all three are seen', () => isDeepStrictEqual(nodesOf(watch.latest), all));
    expect(new Set(watch.latest?.map(({ address }) => address)).size).toBe(3);
    const [kept] = watch.latest ?? [];
    await two.instance.maintenance('to try it');
    await eventually('the second one alone', () =>
      isDeepStrictEqual(
        watch.latest?.map(({ status }) => status),
        ['passing', 'maintenance', 'passing'],
      ),
    );
    // What has not changed is the same object.
    expect(watch.latest?.[0]).toBe(kept);
    await two.instance.deregister();
    await eventually('the second one is gone alone', () =>
      isDeepStrictEqual(nodesOf(watch.latest), [one.node, three.node]),
    );
    // Somebody else deregisters one: it comes back where it was, maybe before anybody has seen that it was gone.
    const { id } = three.instance;
    let again = 0;
    const hear = (message: unknown): void => {
      const told = message as { id: string; event: string };
      if (told.id === id && told.event === 'registered-again') again += 1;
    };
    subscribe('quorate.mesh.instance', hear);
    stack.defer(() => void unsubscribe('quorate.mesh.instance', hear));
    await fetch(`${bed.consul.urlOf(bed.consul.server(3))}/v1/agent/service/deregister/${id}`, { method: 'PUT' });
    await eventually('it registers again', () => again > 0);
    await eventually('and is back', () => isDeepStrictEqual(nodesOf(watch.latest), [one.node, three.node]));
  });

  test('all get their share, and a retry goes to another node', async ({ bed }) => {
    await using stack = new AsyncDisposableStack();
    const [one, two, three] = await onThreeNodes(bed, 'shared', stack);
    for (const policy of ['round-robin', 'weighted'] as const) {
      await using balancer = one.mesh.balancer('shared', { policy });
      await eventually('all three are known', async () => (await one.mesh.instances('shared')).length === 3);
      const counts: Record<string, number> = {};
      for (let request = 0; request < 300; request += 1) {
        using endpoint = await balancer.pick();
        counts[endpoint.instance.node] = (counts[endpoint.instance.node] ?? 0) + 1;
      }
      expect(counts).toEqual({ [one.node]: 100, [two.node]: 100, [three.node]: 100 });
    }
    await two.service[Symbol.asyncDispose]();
    const answers = new Set<string>();
    for (let request = 0; request < 60; request += 1) {
      const answer = await three.mesh.fetch('http://shared/', { attempts: 2 });
      expect(answer.status).toBe(200);
      answers.add(await answer.text());
    }
    expect([...answers].sort()).toEqual([one.node, three.node]);
  });

  test('the one that fails is left out by its node, and comes back', async ({ bed }) => {
    await using stack = new AsyncDisposableStack();
    const [one, two, three] = await onThreeNodes(bed, 'failing', stack);
    await using balancer = one.mesh.balancer('failing', { policy: 'round-robin', ejectAfter: 3, ejectFor: '1s' });
    const picked = async (): Promise<string> => {
      using endpoint = await balancer.pick();
      if (endpoint.instance.node === two.node) endpoint.failed();
      return endpoint.instance.node;
    };
    await eventually('it is left out', async () => {
      await picked();
      return isDeepStrictEqual(nodesOf(balancer.ejected), [two.node]);
    });
    const nodes = [await picked(), await picked(), await picked(), await picked()];
    expect(nodes.sort()).toEqual([one.node, one.node, three.node, three.node]);
    await eventually('it is asked again', async () => (await picked()) === two.node);
  });
});

test('an agent that is cut off from its peers: the watch keeps what it knows, questions fail, and afterwards it goes on', async ({
  bed,
}) => {
  onTestFinished(() => bed.heal());
  await using stack = new AsyncDisposableStack();
  const leader = await eventually('a leader', () => leaderOf(bed.consul.url));
  const follower = [1, 2, 3].map((number) => bed.consul.server(number)).find(({ name }) => name !== leader) as Server;
  const mesh = stack.use(new Mesh({ address: bed.consul.urlOf(follower) }));
  const elsewhere = stack.use(new Mesh({ address: bed.consul.urlOf(bed.server(leader)) }));
  const instance = stack.use(await elsewhere.register({ name: 'afar', port: 1, checks: [] }));
  const watch = stack.use(mesh.watch('afar'));
  await eventually('it is seen', () => watch.latest?.length === 1);
  const stale = (): Promise<readonly ServiceInstance[]> => mesh.instances('afar', { consistency: 'stale' });
  await eventually('it is stored there too', async () => (await stale()).length === 1);
  for (const peer of bed.neighbours(follower)) await bed.link(follower.name, peer.name).set({ refuse: true });
  await expect(mesh.instances('afar')).rejects.toMatchObject({ code: 'consul-error', retryable: true });
  // The agent itself answers a watch, and does not say that it has not heard of its servers; what it was asking them at that moment may have failed.
  expect(watch.latest?.map(({ id }) => id)).toEqual([instance.id]);
  if (watch.failure) expect(watch.failure).toMatchObject({ code: 'consul-error', retryable: true });
  // Who can do with what is old is answered, and what is registered here the agent takes.
  expect(await stale()).toHaveLength(1);
  const here = stack.use(await mesh.register({ name: 'afar', port: 2, checks: [] }));
  await instance.maintenance('meanwhile');
  await bed.heal();
  await eventually('the news come', () => watch.latest?.find(({ id }) => id === instance.id)?.status === 'maintenance');
  // An agent that could not tell its servers tells them again after 15 s, or when it has something else to tell.
  await eventually('what was registered meanwhile is known', async () => {
    await here.maintenance('to be told');
    await here.endMaintenance();
    return watch.latest?.length === 2;
  });
});

async function leaderOf(url: string): Promise<string | undefined> {
  const raft = (await (await fetch(`${url}/v1/operator/raft/configuration?stale`)).json()) as Raft;
  return raft.Servers.find(({ Leader }) => Leader)?.Node;
}

interface Raft {
  readonly Servers: readonly { readonly Node: string; readonly Leader: boolean }[];
}

test('the leader of three servers is killed: no registration is lost, the watch goes on', async ({ bed }) => {
  const first = await eventually('a leader', () => leaderOf(bed.consul.url));
  const [one, two] = [1, 2, 3].map((number) => bed.consul.server(number)).filter(({ name }) => name !== first);
  const [here, there] = [one, two].map((server) => `http://${server?.address}`) as [string, string];
  const mesh = new Mesh({ address: here });
  const elsewhere = new Mesh({ address: there });
  await using stays = await mesh.register({ name: 'stays', port: 1, checks: [{ ttl: '5s' }], sidecar: true });
  await using watch = elsewhere.watch('stays');
  const known = (ids: readonly string[]): Promise<true> =>
    eventually(
      `${ids.join(', ')} known`,
      () =>
        isDeepStrictEqual(
          watch.latest?.map(({ id }) => id),
          ids,
        ) || undefined,
    );
  await known([stays.id]);
  const seen: number[] = [];
  void (async () => {
    for await (const instances of watch) seen.push(instances.length);
  })();

  await bed.server(first).kill();
  // While there is no leader: the agent takes it, and tells the servers when there is one.
  await using comes = await mesh.register({ name: 'stays', port: 2, checks: [{ ttl: '5s' }] });
  await eventually('another leader', async () => {
    const now = await leaderOf(here);
    return now !== undefined && now !== first;
  });
  await known([stays.id, comes.id]);
  expect((await elsewhere.instances('stays', { passing: true })).map(({ id }) => id)).toEqual([stays.id, comes.id]);
  // The agent tells the servers of one after the other.
  await eventually('its sidecar too', async () => (await elsewhere.instances('stays-sidecar-proxy')).length === 1);
  expect(seen).not.toContain(0);
  await bed.server(first).restart();
  await stays.deregister();
  await known([comes.id]);
});
