import { once } from 'node:events';
import { type BedOf, everything, Testbed } from '@quorate/testbed';
import { bedRows, describeBed } from '../bed-description.ts';
import { fetchMissing } from '../fetch-missing.ts';
import { interruptible } from '../interrupt.ts';
import { table } from '../table.ts';

/** One of every server, until Ctrl-C. */
export async function showEverything({ json, offline }: { json?: true; offline?: true }): Promise<void> {
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
