import { once } from 'node:events';
import { type BedOf, everything, Testbed } from '@quorate/testbed';
import { Command, InvalidArgumentError } from 'commander';
import { bedRows, describeBed } from '../bed-description.ts';
import { fetchMissing } from '../fetch-missing.ts';
import { interruptible } from '../interrupt.ts';
import { table } from '../table.ts';

export function demo(): Command {
  return new Command('demo')
    .description('starts one of everything, shows where it is and how it is, until Ctrl-C')
    .argument('[concept]', 'a concept to demonstrate; there are none yet', (concept): never => {
      throw new InvalidArgumentError(`There is no demo called ${concept} yet: leave it out to start all servers.`);
    })
    .option('--json', 'for programs: one line when all is ready')
    .option('--offline', 'never fetch a program that is missing')
    .addHelpText('after', '\nExamples:\n  $ quorate demo\n  $ quorate demo --json')
    .action(show);
}

async function show(_concept: undefined, { json, offline }: { json?: true; offline?: true }): Promise<void> {
  using stop = interruptible();
  const begin = performance.now();
  await using bed = await startEverything(stop.signal, offline === true);
  const description = await describeBed(bed);
  if (json) console.log(JSON.stringify(description));
  else {
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    const megabytes = description.servers.reduce((sum, { residentMegabytes }) => sum + residentMegabytes, 0);
    console.log(`\n${table(bedRows(description))}\n`);
    console.log(`Ready after ${seconds} s, ${megabytes} MB in all. For people:`);
    console.log(`  Consul      ${bed.consul.url}/ui`);
    console.log(`  Temporal    ${bed.temporal.ui}`);
    console.log(`  Envoy       ${bed.envoy.admin}`);
    console.log('\nCtrl-C stops everything and leaves nothing behind.');
  }
  // Servers and their wardens keep no process alive; waiting does.
  const wait = setInterval(() => {}, 60_000);
  if (!stop.signal.aborted) await once(stop.signal, 'abort');
  clearInterval(wait);
  if (!json) console.log('\nStopping …');
}

async function startEverything(signal: AbortSignal, offline: boolean): Promise<BedOf<typeof everything>> {
  if (!offline) {
    const [failed] = await fetchMissing(signal);
    if (failed) throw failed;
  }
  console.error('Starting one of everything:');
  return Testbed.start(everything, {
    signal,
    offline,
    onReady: ({ name, address }) => console.error(`  ${name.padEnd(14)} ${address}`),
  });
}
