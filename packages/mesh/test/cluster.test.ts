import { isDeepStrictEqual } from 'node:util';
import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import { Mesh } from '../src/index.ts';

const test = bedTest({ consul: 3 });

interface Raft {
  readonly Servers: readonly { readonly Node: string; readonly Leader: boolean }[];
}

test('the leader of three servers is killed: no registration is lost, the watch goes on', async ({ bed }) => {
  const leader = async (of: string): Promise<string | undefined> => {
    const raft = (await (await fetch(`${of}/v1/operator/raft/configuration`)).json()) as Raft;
    return raft.Servers.find(({ Leader }) => Leader)?.Node;
  };
  const first = await eventually('a leader', () => leader(bed.consul.url));
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
    const now = await leader(here);
    return now !== undefined && now !== first;
  });
  await known([stays.id, comes.id]);
  expect((await elsewhere.instances('stays', { passing: true })).map(({ id }) => id)).toEqual([stays.id, comes.id]);
  expect(await elsewhere.instances('stays-sidecar-proxy')).toHaveLength(1);
  expect(seen).not.toContain(0);
  await bed.server(first).restart();
  await stays.deregister();
  await known([comes.id]);
});
