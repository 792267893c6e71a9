import { InvalidArgumentError } from '@quorate/core';
import { InvalidArgumentError as BadUse, Command } from 'commander';
import { concept, concepts } from '../demo/concepts.ts';
import { showEverything } from '../demo/everything.ts';
import { pictureFile, savePicture } from '../demo/picture.ts';
import { reportOf, reportText } from '../demo/report.ts';
import { Told } from '../demo/told.ts';
import { interruptible } from '../interrupt.ts';
import { progressDisplay } from '../progress-display.ts';
import type { Shell } from '../shell.ts';
import { table } from '../table.ts';

interface Flags {
  readonly seed?: number;
  readonly fast?: boolean;
  readonly sabotage?: boolean;
  readonly picture?: string;
  readonly list?: true;
  readonly json?: true;
  readonly offline?: true;
}

export function demo(shell: Shell): Command {
  return new Command('demo')
    .description('shows a concept on real servers: breaks something, says what happens, and checks the result')
    .argument(
      '[concept]',
      'the demo to run (--list shows them); "everything" starts one of every server, until Ctrl-C',
      'consensus',
    )
    .option('--seed <number>', 'seed of the random choices (default: 1)', wholeNumber)
    .option('--fast', 'the shortest version that still shows the point')
    .option('--sabotage', 'leave out the protection: the verdict must then fail')
    .option('--picture <file>', 'save a picture of what happened as a web page, and the history beside it', pictureFile)
    .option('--list', 'list the demos')
    .option('--json', 'print the outcome as JSON, without the story')
    .option('--offline', 'never fetch a program that is missing')
    .addHelpText(
      'after',
      `
Examples:
  $ quorate demo
  $ quorate demo concurrency --seed 7 --picture lost.html
  $ quorate demo concurrency --sabotage; echo $?
  $ quorate demo everything

Exit status: 0 every verdict is valid, 1 one is not or something failed, 2 bad use.`,
    )
    .action((name: string, flags: Flags) => show(shell, name, flags));
}

async function show(shell: Shell, name: string, flags: Flags): Promise<void> {
  if (flags.list) return list(shell, flags);
  if (name === 'everything') return showServers(shell, flags);
  await play(shell, name, flags);
}

async function play(
  shell: Shell,
  name: string,
  { seed = 1, fast = false, sabotage = false, picture, json, offline }: Flags,
): Promise<void> {
  const demo = await concept(name);
  const options = { demo: name, seed, fast, sabotage };
  const told = json ? { scene: () => {}, tell: () => {} } : new Told(shell.stdout);
  const outcome = await watched(shell, (signal, onProgress) =>
    demo.run({
      ...options,
      signal,
      start: { signal, onProgress, offline: offline === true },
      scene: told.scene,
      tell: told.tell,
    }),
  );
  const saved = picture === undefined ? [] : await savePicture(picture, outcome);
  const report = reportOf(outcome, options);
  if (json) shell.print(JSON.stringify({ ...report, saved }, null, 2));
  else {
    shell.print(reportText(report, outcome.moral));
    if (saved.length > 0) shell.print(`Saved: ${saved.join(', ')}`);
  }
  if (!report.passed) shell.status = 1;
}

/** Until it is over, or somebody has had enough. */
async function watched<T>(
  shell: Shell,
  run: (signal: AbortSignal, onProgress: ReturnType<typeof progressDisplay>['onProgress']) => Promise<T>,
): Promise<T> {
  using stop = interruptible();
  using display = progressDisplay(shell.stderr);
  try {
    return await run(stop.signal, display.onProgress);
  } catch (error) {
    // Whatever fails because of Ctrl-C has not failed.
    stop.signal.throwIfAborted();
    throw error;
  }
}

async function showServers(shell: Shell, { json, offline, ...others }: Flags): Promise<void> {
  const [option] = Object.keys(others);
  if (option !== undefined) throw new InvalidArgumentError(`--${option}`, 'a concept to go with it, not "everything"');
  await showEverything(shell, { ...(json && { json }), ...(offline && { offline }) });
}

async function list(shell: Shell, { json }: Flags): Promise<void> {
  const all = (await concepts()).map(({ name, shows }) => ({ name, shows }));
  shell.print(
    json ? JSON.stringify(all, null, 2) : table([['DEMO', 'SHOWS'], ...all.map(({ name, shows }) => [name, shows])]),
  );
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(number)) throw new BadUse('Expected a whole number.');
  return number;
}
