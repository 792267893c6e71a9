import { expect } from 'vitest';
import { eventually } from '../src/index.ts';
import { bedTest } from '../src/vitest.ts';

const test = bedTest({ consul: 3 });

test('Consul servers have no links between them, and clients have', async ({ bed }) => {
  expect(() => bed.link('consul-1', 'consul-2')).toThrow(
    /expected a client's name and one of consul-1, consul-2, consul-3, or two servers with a link between them \(this bed has none\)/,
  );
  const link = bed.link('service', 'consul-2');
  const ask = async (): Promise<string> => {
    const url = `http://${await link.address}/v1/status/leader`;
    return (await fetch(url, { signal: AbortSignal.timeout(300), headers: { connection: 'close' } })).text();
  };
  expect(await ask()).toMatch(/^"127\.0\.0\.1:\d+"$/);
  const cut = await bed.partition(['service'], ['consul-2']);
  await expect(ask()).rejects.toThrow(/timeout/);
  await cut.heal();
  expect(await eventually('it answers', ask)).toMatch(/^"127\.0\.0\.1:\d+"$/);
});

test('three Consul servers go on when their leader is killed', async ({ bed }) => {
  const leaderAt = async (server: number): Promise<string> =>
    (await (await fetch(`http://${bed.consul.server(server).address}/v1/status/leader`)).json()) as string;
  const nodes = (await (await fetch(`${bed.consul.url}/v1/operator/raft/configuration`)).json()) as {
    Servers: { Node: string; Leader: boolean }[];
  };
  const leader = bed.server(nodes.Servers.find(({ Leader }) => Leader)?.Node ?? '');
  const before = await leaderAt(1);
  await leader.kill();
  const left = [1, 2, 3].find((number) => bed.consul.server(number) !== leader) ?? 1;
  const after = await eventually('another leader', async () => {
    const now = await leaderAt(left);
    return now !== before && now;
  });
  expect(after).toMatch(/^127\.0\.0\.1:/);
  await leader.restart();
  expect((await bed.health()).status).toBe('pass');
});
