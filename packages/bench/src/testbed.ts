import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { everything, type Server, Testbed, type TestbedOptions } from '@quorate/testbed';
import type { Benchmark, Figure } from './benchmark.ts';

const starts: readonly { readonly name: string; readonly options: TestbedOptions; readonly aim?: number }[] = [
  { name: 'ZooKeeper, 1 member', options: { zookeeper: 1 }, aim: 2 },
  { name: 'ZooKeeper, 3 members', options: { zookeeper: 3 }, aim: 5 },
  { name: 'Redis', options: { redis: 1 } },
  { name: 'Kafka', options: { kafka: 1 } },
  { name: 'Consul', options: { consul: 1 } },
  { name: 'Envoy', options: { envoy: true } },
  { name: 'Temporal', options: { temporal: true } },
  { name: 'S3, 2 regions', options: { s3: ['us-east-1', 'eu-west-1'] } },
  { name: 'DynamoDB', options: { dynamodb: true } },
  { name: 'PostgreSQL', options: { postgres: true } },
  { name: 'MongoDB (FerretDB)', options: { mongodb: true } },
  { name: 'Prometheus', options: { prometheus: true } },
  { name: 'the whole bed (11 processes)', options: everything, aim: 20 },
];

/** How long servers take from the call to the moment all answer, with their programs in the cache; and what they weigh. */
export const testbed: Benchmark = {
  name: 'testbed',
  what: 'warm starts of the testbed',
  rounds: 5,
  measure: async (rounds) => {
    const seconds = new Map<string, number[]>(starts.map(({ name }) => [name, []]));
    const megabytes: number[] = [];
    // Of the whole bed each server by itself, so that a round that took long says whose fault it was.
    const each = new Map<string, number[]>();
    const bootstrap: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      for (const { name, options } of starts) {
        const begin = performance.now();
        const onReady = ({ name: server }: Server): void => {
          each.set(server, [...(each.get(server) ?? []), (performance.now() - begin) / 1000]);
        };
        await using bed = await Testbed.start(options, options === everything ? { onReady } : {});
        seconds.get(name)?.push((performance.now() - begin) / 1000);
        if (options === everything) megabytes.push((await resident(bed)) / 1e6);
      }
      bootstrap.push(await bootstrapSeconds());
    }
    return [
      ...starts.map(
        ({ name, aim }): Figure => ({ name, unit: 's', values: seconds.get(name) ?? [], ...(aim && { aim }) }),
      ),
      ...[...each].map(([server, values]): Figure => ({ name: `the whole bed, until ${server}`, unit: 's', values })),
      { name: 'the whole bed, resident', unit: 'MB', values: megabytes, aim: 2_000 },
      { name: 'the bootstrap, with nothing to install', unit: 's', values: bootstrap, aim: 1 },
    ];
  },
};

async function resident(bed: Testbed): Promise<number> {
  const each = await Promise.all(bed.servers.map((server) => server.resident()));
  return each.reduce((sum, bytes) => sum + bytes, 0);
}

/** From the command to the first line of the pinned Node's program, as `npm test` does it. */
async function bootstrapSeconds(): Promise<number> {
  const bootstrap = fileURLToPath(new URL('../../cli/bootstrap.js', import.meta.url));
  const begin = performance.now();
  await promisify(execFile)(process.execPath, [bootstrap, 'quorate', '--version']);
  return (performance.now() - begin) / 1000;
}
