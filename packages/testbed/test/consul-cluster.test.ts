import { describe, expect } from 'vitest';
import { eventually, type Server } from '../src/index.ts';
import { bedTest } from '../src/vitest.ts';

const test = bedTest({ consul: { servers: 3, clients: 1, addresses: 'own' } });

interface Member {
  readonly Name: string;
  readonly Status: number;
}

/** Of a member, as gossip knows it. */
const failed = 4;

/** Which server an agent takes for the leader, by its address; '' for none. */
async function leaderAt({ address }: Server): Promise<string> {
  const answer = await fetch(`http://${address}/v1/status/leader`, { signal: AbortSignal.timeout(2_000) });
  return (await answer.json()) as string;
}

async function leaderOf(agent: Server): Promise<string | undefined> {
  const url = `http://${agent.address}/v1/operator/raft/configuration?stale`;
  const { Servers } = (await (await fetch(url)).json()) as { Servers: { Node: string; Leader: boolean }[] };
  return Servers.find(({ Leader }) => Leader)?.Node;
}

test('a link leads from a client to a server', async ({ bed }) => {
  const link = bed.link('service', 'consul-2');
  const ask = async (): Promise<string> => {
    const url = `http://${await link.address}/v1/status/leader`;
    return (await fetch(url, { signal: AbortSignal.timeout(300), headers: { connection: 'close' } })).text();
  };
  expect(await ask()).toMatch(/^"127\.0\.0\.[234]:\d+"$/);
  const cut = await bed.partition(['service'], ['consul-2']);
  await expect(ask()).rejects.toThrow(/timeout/);
  await cut.heal();
  expect(await eventually('it answers', ask)).toMatch(/^"127\.0\.0\.[234]:\d+"$/);
});

test('each agent has an address of its own in the catalog, and each two have a link', async ({ bed }) => {
  const nodes = (await (await fetch(`${bed.consul.urlOf(bed.consul.client(1))}/v1/catalog/nodes`)).json()) as {
    Node: string;
    Address: string;
  }[];
  const addresses = Object.fromEntries(nodes.map(({ Node, Address }) => [Node, Address]));
  expect(addresses).toEqual({
    'consul-1': '127.0.0.2',
    'consul-2': '127.0.0.3',
    'consul-3': '127.0.0.4',
    'consul-4': '127.0.0.5',
  });
  expect(bed.consul.addressOf(bed.consul.client(1))).toBe('127.0.0.5');
  expect(
    bed
      .neighbours(bed.consul.server(2))
      .map(({ name }) => name)
      .sort(),
  ).toEqual(['consul-1', 'consul-3', 'consul-4']);
});

describe('cut off from its peers', () => {
  test('a leader loses its office, the others elect one, and it follows after healing', async ({ bed }) => {
    const first = bed.server((await leaderOf(bed.consul.server(1))) as string);
    const others = [1, 2, 3].map((number) => bed.consul.server(number)).filter((server) => server !== first);
    const cut = await bed.partition(
      [first.name],
      [...others, ...bed.consul.clients].map(({ name }) => name),
    );
    // What it is told to write it cannot.
    await eventually('it knows no leader', async () => (await leaderAt(first)) === '');
    expect((await fetch(`http://${first.address}/v1/kv/a`, { method: 'PUT', body: '1' })).status).toBe(500);
    const [other] = others as [Server];
    await eventually('another leader', async () => {
      const now = await leaderOf(other);
      return now !== undefined && now !== first.name;
    });
    expect((await fetch(`http://${other.address}/v1/kv/a`, { method: 'PUT', body: '2' })).status).toBe(200);
    expect(first.state).toBe('running');
    // Gossip goes by the links too, datagrams and all.
    await eventually('the others take it for dead', async () => {
      const members = (await (await fetch(`http://${other.address}/v1/agent/members`)).json()) as Member[];
      return members.find(({ Name }) => Name === first.name)?.Status === failed;
    });
    await cut.heal();
    await eventually('it follows', async () => {
      const answer = await fetch(`http://${first.address}/v1/kv/a?raw&consistent`);
      return answer.ok && (await answer.text()) === '2';
    });
  });

  test('a client answers nothing that its servers would have to know', async ({ bed }) => {
    const client = bed.consul.client(1);
    const ask = async (): Promise<number> => (await fetch(`http://${client.address}/v1/kv/b?raw`)).status;
    await eventually('it answers', async () => (await ask()) === 404);
    await bed.link('consul-1', 'consul-4').set({ refuse: true });
    await bed.link('consul-2', 'consul-4').set({ refuse: true });
    await bed.link('consul-3', 'consul-4').set({ refuse: true });
    expect(await ask()).toBe(500);
    await bed.heal();
    await eventually('it answers again', async () => (await ask()) === 404);
  });
});

test('three Consul servers go on when their leader is killed', async ({ bed }) => {
  const leader = bed.server((await eventually('a leader', () => leaderOf(bed.consul.server(1)))) as string);
  const before = await leaderAt(leader);
  await leader.kill();
  const left = [1, 2, 3].map((number) => bed.consul.server(number)).find((server) => server !== leader) as Server;
  const after = await eventually('another leader', async () => {
    const now = await leaderAt(left);
    return now !== before && now;
  });
  expect(after).toMatch(/^127\.0\.0\.[234]:/);
  await leader.restart();
  // A datagram of the gossip that is lost is made good by the next exchange of all that is known: every 30 s.
  await eventually('all are well', async () => expect(await bed.health()).toMatchObject({ status: 'pass' }) ?? true, {
    within: 60_000,
  });
});
