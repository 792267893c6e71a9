import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type History, lamportHtml, verdictText } from '@quorate/testbed';
import { Command, InvalidArgumentError } from 'commander';
import { exitStatus } from '../../src/exit-status.ts';
import { Interrupted, interruptible } from '../../src/interrupt.ts';
import { progressDisplay } from '../../src/progress-display.ts';
import { Shell, type Surroundings } from '../../src/shell.ts';
import { caches } from './caches.ts';
import { type SoakReport, soak } from './run.ts';
import { storms } from './storms.ts';
import { streams } from './streams.ts';

interface Flags {
  readonly minutes: number;
  readonly seed: number;
  readonly clients: number;
  readonly careless?: boolean;
  readonly storms?: true;
  readonly caches?: true;
  readonly stream?: true;
  readonly json?: true;
  readonly quiet?: true;
  readonly keep?: string;
}

/** How much of the history a picture shows before and after what went wrong, in milliseconds. */
const margin = 50;

/** Breaks a real ensemble by a seeded schedule while real clients use it, and judges what they were told. */
export async function soakCommand(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const shell = new Shell(surroundings);
  try {
    await program(shell).parseAsync(args, { from: 'user' });
    return shell.status;
  } catch (error) {
    return exitStatus('soak', error, shell);
  }
}

function program(shell: Shell): Command {
  return new Command('soak')
    .description(
      'Breaks a three-member ZooKeeper ensemble on purpose while clients use it, and judges what they were told.',
    )
    .option('--minutes <number>', 'how long to break things, from 0.1', minutes, 2)
    .option('--seed <number>', 'a whole number; the same seed gives the same schedule of faults', seed, 1)
    .option('--clients <number>', 'from 1 to 16', clients, 3)
    .option('--careless', 'clients that ignore versions, to see that their lost updates are found')
    .option('--storms', 'processes that hold locks and lead, in storms of 20 s with one seed after the other')
    .option('--caches', 'schedules of three caches on one Redis whose connections are slow, held and cut')
    .option('--stream', 'three Kafka brokers, and messages that are carried from topic to topic in transactions')
    .option('--json', 'print the outcome as JSON')
    .option('--quiet', 'do not tell each fault as it begins')
    .option('--keep <folder>', 'save the history and its picture there, also when all is well')
    .addHelpText(
      'after',
      `
Examples:
  $ npm run soak -- --minutes 2 --seed 7
  $ npm run soak -- --minutes 0.2 --seed 42 --json
  $ npm run soak -- --minutes 0.1 --careless --keep /tmp
  $ npm run soak -- --minutes 240 --storms --clients 8
  $ npm run soak -- --minutes 10 --caches --seed 1
  $ npm run soak -- --minutes 30 --stream --seed 1

A run that fails prints the command that replays its schedule, and saves its history and a picture.
The schedule is the same each time; what servers and clients make of it is not.

Exit status: 0 every verdict is valid, 1 one is not or something failed, 2 bad use.`,
    )
    .exitOverride()
    .configureOutput({ writeOut: (text) => shell.stdout.write(text), writeErr: (text) => shell.stderr.write(text) })
    .action((flags: Flags) => run(shell, flags));
}

async function run(shell: Shell, flags: Flags): Promise<void> {
  if (flags.storms) return runStorms(shell, flags);
  if (flags.caches) return runCaches(shell, flags);
  if (flags.stream) return runStreams(shell, flags);
  const again = `npm run soak -- --minutes ${flags.minutes} --seed ${flags.seed} --clients ${flags.clients}${flags.careless ? ' --careless' : ''}`;
  const say = (line: string): void => {
    if (!flags.json && !flags.quiet) shell.complain(line);
  };
  using stop = interruptible();
  try {
    const { history, report } = await start(shell, flags, stop.signal, say);
    const failed = report.verdicts.some(({ result }) => result !== 'valid');
    const folder = failed || flags.keep !== undefined ? await save(history, report, flags.keep) : undefined;
    const replay = failed ? { replay: again } : {};
    if (flags.json) shell.print(JSON.stringify({ ...report, ...replay, ...(folder && { folder }) }, null, 2));
    else shell.print(text(report, folder, failed ? again : undefined));
    if (failed) shell.status = 1;
  } catch (error) {
    if (!(error instanceof Interrupted)) shell.complain(`soak: seed ${flags.seed}; the same schedule again: ${again}`);
    throw error;
  }
}

async function runStorms(shell: Shell, flags: Flags): Promise<void> {
  const { minutes, seed, clients } = flags;
  using stop = interruptible();
  const say = (line: string): void => {
    if (!flags.json && !flags.quiet) shell.complain(line);
  };
  const { failed, ...counts } = await storms({ minutes, seed, workers: clients, signal: stop.signal, say });
  const replay = failed && `npm run soak -- --storms --minutes 0.1 --seed ${failed.seed} --clients ${clients}`;
  const folder = failed && (await save(failed.history, failed, flags.keep));
  const { storms: number, again, held, faults, guardedUpdates } = counts;
  if (flags.json) {
    const verdicts = failed ? failed.verdicts : [];
    shell.print(JSON.stringify({ seed, minutes, ...counts, valid: !failed, verdicts, replay, folder }, null, 2));
  } else {
    shell.print(`storms      ${number} from seed ${seed}: ${faults} faults; begun again: ${again}`);
    shell.print(`leases      ${held} held, ${guardedUpdates} guarded updates`);
    for (const verdict of failed?.verdicts ?? []) shell.print(verdictText(verdict));
    if (!failed)
      shell.print('VALID  one holder at a time, tokens increase, no guarded update lost, taken over in time');
    if (replay) shell.print(`the same schedule again: ${replay}`);
    if (folder) shell.print(`history and picture: ${folder}`);
  }
  if (failed) shell.status = 1;
}

async function runCaches(shell: Shell, { minutes, seed, json, quiet }: Flags): Promise<void> {
  using stop = interruptible();
  const say = (line: string): void => {
    if (!json && !quiet) shell.complain(line);
  };
  const { broken, ...counts } = await caches({ minutes, seed, signal: stop.signal, say });
  const replay = broken && `QUORATE_SEED=${broken.seed} npm test -- packages/cache/test/coherence.test.ts`;
  if (json) shell.print(JSON.stringify({ seed, minutes, ...counts, valid: !broken, ...broken, replay }, null, 2));
  else {
    if (broken) shell.print(broken.story);
    shell.print(
      `schedules   ${counts.schedules} from seed ${seed}; ${counts.proved.checked} answers that could have missed a change`,
    );
    shell.print(broken ? `INVALID  an answer was too old; the same again: ${replay}` : 'VALID  no answer was too old');
  }
  if (broken) shell.status = 1;
}

async function runStreams(shell: Shell, { minutes, seed, json, quiet }: Flags): Promise<void> {
  using stop = interruptible();
  const say = (line: string): void => {
    if (!json && !quiet) shell.complain(line);
  };
  const { broken, ...counts } = await streams({ minutes, seed, signal: stop.signal, say });
  const replay = broken.length > 0 && `npm run soak -- --stream --minutes ${minutes} --seed ${seed}`;
  if (json)
    shell.print(JSON.stringify({ seed, minutes, ...counts, valid: broken.length === 0, broken, replay }, null, 2));
  else {
    const { written, unknown, refused, rebalances, faults } = counts;
    shell.print(`seed ${seed}: ${faults} faults, ${rebalances} rebalances`);
    shell.print(`messages    ${written} written, ${unknown} unknown, ${refused} refused`);
    for (const what of broken.slice(0, 20)) shell.print(`! ${what}`);
    shell.print(
      broken.length === 0
        ? 'VALID  what was acknowledged is there once and in order, and was carried once and in order'
        : `INVALID  ${broken.length} messages; the same schedule again: ${replay}`,
    );
  }
  if (broken.length > 0) shell.status = 1;
}

async function start(
  shell: Shell,
  { minutes, seed, clients, careless = false }: Flags,
  signal: AbortSignal,
  say: (line: string) => void,
): ReturnType<typeof soak> {
  using display = progressDisplay(shell.stderr);
  const begin = performance.now();
  return await soak({
    minutes,
    seed,
    clients,
    careless,
    signal,
    onProgress: display.onProgress,
    onFault: ({ kind, target, from = [], duration }, state) => {
      const seconds = ((performance.now() - begin) / 1000).toFixed(1).padStart(6);
      const sides = from.length > 0 ? ` | ${from.join(', ')}` : '';
      if (state === 'begins') say(`${seconds} s  ${kind} ${target.join(', ')}${sides} for ${duration} ms`);
    },
  });
}

function text({ seed, minutes, counts, sessions, verdicts }: SoakReport, folder?: string, again?: string): string {
  const { operations, ok, failed, ambiguous, pending, faults } = counts;
  const kinds = Object.entries(faults).toSorted(([a], [b]) => a.localeCompare(b));
  const total = kinds.reduce((sum, [, count]) => sum + count, 0);
  return [
    `seed ${seed}, ${minutes} minutes`,
    `operations  ${operations}: ${ok} ok, ${failed} failed, ${ambiguous} ambiguous, ${pending} pending; ${sessions} sessions`,
    `faults      ${total}: ${kinds.map(([kind, count]) => `${count} ${kind}`).join(', ')}`,
    '',
    ...verdicts.map(verdictText),
    ...(folder ? ['', `history and picture: ${folder}`] : []),
    ...(again ? [`the same schedule again: ${again}`] : []),
  ].join('\n');
}

async function save(history: History, { verdicts }: Pick<SoakReport, 'verdicts'>, keep?: string): Promise<string> {
  const folder = keep ?? (await mkdtemp(join(tmpdir(), 'quorate-soak-')));
  await history.save(join(folder, 'history.jsonl'));
  const verdict = verdicts.find(({ evidence }) => evidence !== undefined);
  const times = verdict?.evidence?.lines.flatMap(({ from, to = from }) => [from, to]) ?? [0, 1_000];
  const picture = lamportHtml(history, {
    title: 'What the clients were told',
    from: Math.max(0, Math.min(...times) - margin),
    to: Math.max(...times) + margin,
    ...(verdict && { verdict }),
  });
  await writeFile(join(folder, 'picture.html'), picture);
  return folder;
}

function minutes(value: string): number {
  const number = Number(value);
  if (!(number >= 0.1 && number <= 10_000)) throw new InvalidArgumentError('Expected a number from 0.1 to 10000.');
  return number;
}

function seed(value: string): number {
  const number = Number(value);
  if (value.trim() === '' || !Number.isSafeInteger(number)) throw new InvalidArgumentError('Expected a whole number.');
  return number;
}

function clients(value: string): number {
  const number = Number(value);
  if (!(Number.isInteger(number) && number >= 1 && number <= 16))
    throw new InvalidArgumentError('Expected a whole number from 1 to 16.');
  return number;
}
