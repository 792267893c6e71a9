import { once } from 'node:events';
import { type BedOf, everything, Testbed } from '@quorate/testbed';
import { bedRows, describeBed } from '../bed-description.ts';
import { fetchMissing } from '../fetch-missing.ts';
import { interruptible } from '../interrupt.ts';
import type { Shell } from '../shell.ts';
import { table } from '../table.ts';

/** One of every server, until Ctrl-C. */
export async function showEverything(shell: Shell, { json, offline }: { json?: true; offline?: true }): Promise<void> {
  using stop = interruptible();
  const begin = performance.now();
  await using bed = await startEverything(shell, stop.signal, offline === true);
  const description = await describeBed(bed);
  if (json) shell.print(JSON.stringify(description));
  else {
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    const megabytes = description.servers.reduce((sum, { residentMegabytes }) => sum + residentMegabytes, 0);
    shell.print(`\n${table(bedRows(description))}\n`);
    shell.print(`Ready after ${seconds} s, ${megabytes} MB in all. For people:`);
    shell.print(`  Consul      ${bed.consul.url}/ui`);
    shell.print(`  Temporal    ${bed.temporal.ui}`);
    shell.print(`  Envoy       ${bed.envoy.admin}`);
    shell.print('\nCtrl-C stops everything and leaves nothing behind.');
  }
  // Servers and their wardens keep no process alive; waiting does.
  const wait = setInterval(() => {}, 60_000);
  if (!stop.signal.aborted) await once(stop.signal, 'abort');
  clearInterval(wait);
  if (!json) shell.print('\nStopping …');
}

async function startEverything(shell: Shell, signal: AbortSignal, offline: boolean): Promise<BedOf<typeof everything>> {
  if (!offline) {
    const [failed] = await fetchMissing(signal, shell.stderr);
    if (failed) throw failed;
  }
  shell.complain('Starting one of everything:');
  return Testbed.start(everything, {
    signal,
    offline,
    onReady: ({ name, address }) => shell.complain(`  ${name.padEnd(14)} ${address}`),
  });
}
