import { once } from 'node:events';
import { sleep } from '@quorate/core';
import { Mesh } from '@quorate/mesh';
import Consul from 'consul';

/** What one change costs who watches. */
export interface WatchCost {
  /** From the write to the news, in milliseconds. */
  readonly delay: number;
  /** Processor time of this process, in milliseconds. */
  readonly cpu: number;
}

/** So many operations fit into a transaction. */
const batch = 64;

/** Instances in the catalog that no agent looks after. */
export async function populate(consul: string, service: string, count: number): Promise<void> {
  await put(consul, '/v1/catalog/register', { Node: 'far', Address: '10.0.0.1' });
  for (let first = 0; first < count; first += batch) {
    const operations = Array.from({ length: Math.min(batch, count - first) }, (_, offset) => ({
      Service: {
        Verb: 'set',
        Node: 'far',
        Service: { ID: `${service}-${first + offset}`, Service: service, Port: 80 },
      },
    }));
    await put(consul, '/v1/txn', operations);
  }
}

async function put(consul: string, path: string, body: unknown): Promise<void> {
  const response = await fetch(consul + path, { method: 'PUT', body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  await response.arrayBuffer();
}

async function change(consul: string, service: string, turn: number): Promise<void> {
  const Service = { ID: `${service}-0`, Service: service, Port: 80, Tags: [`turn-${turn}`] };
  await put(consul, '/v1/catalog/register', { Node: 'far', Address: '10.0.0.1', SkipNodeUpdate: true, Service });
}

/** Changes one instance so many times, and waits each time for the news. */
async function measured(
  changes: number,
  write: (turn: number) => Promise<void>,
  news: () => Promise<unknown>,
): Promise<WatchCost> {
  const delays: number[] = [];
  const first = news();
  await write(-1);
  await first;
  const before = process.cpuUsage();
  for (let turn = 0; turn < changes; turn += 1) {
    const begin = performance.now();
    const told = news();
    await write(turn);
    await told;
    delays.push(performance.now() - begin);
    // Far enough apart that neither is held back by its limit of questions per second.
    await sleep(250);
  }
  const { user, system } = process.cpuUsage(before);
  delays.sort((a, b) => a - b);
  return { delay: delays[Math.floor(changes / 2)] ?? Number.NaN, cpu: (user + system) / 1_000 / changes };
}

export async function ourWatch(consul: string, service: string, changes: number): Promise<WatchCost> {
  await using mesh = new Mesh({ address: consul });
  await using watch = mesh.watch(service);
  await watch.next();
  return await measured(
    changes,
    (turn) => change(consul, service, turn),
    () => watch.next(),
  );
}

/** The watch of the npm package `consul`. */
export async function packageWatch(consul: string, service: string, changes: number): Promise<WatchCost> {
  const { hostname, port } = new URL(consul);
  const client = new Consul({ host: hostname, port: Number(port) });
  const options = { method: client.health.service, options: { service } };
  const watch = client.watch(
    options as unknown as Parameters<typeof client.watch>[0],
  ) as unknown as NodeJS.EventEmitter & {
    end(): void;
  };
  try {
    await once(watch, 'change');
    return await measured(
      changes,
      (turn) => change(consul, service, turn + 1_000),
      () => once(watch, 'change'),
    );
  } finally {
    watch.end();
    client.destroy();
  }
}
