// npm run bench -- <name>: one benchmark; --json FILE keeps the raw figures.
import { writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import type { Benchmark, Figure } from './benchmark.ts';
import { cache } from './cache/cache.ts';
import { cold } from './cold.ts';
import { election } from './coordination/election.ts';
import { locks } from './coordination/locks.ts';
import { group } from './group/group.ts';
import { links } from './links.ts';
import { mesh } from './mesh/mesh.ts';
import { stream } from './stream/stream.ts';
import { testbed } from './testbed.ts';
import { workflow } from './workflow/workflow.ts';
import { detection } from './zookeeper/detection.ts';
import { zookeeper } from './zookeeper/zookeeper.ts';

const benchmarks: readonly Benchmark[] = [
  testbed,
  cold,
  links,
  zookeeper,
  detection,
  locks,
  election,
  group,
  mesh,
  cache,
  stream,
  workflow,
];

interface Flags {
  readonly rounds?: number;
  readonly json?: string;
  readonly quick?: boolean;
}

await new Command('bench')
  .description('Measures one thing several times, and prints medians and spread.')
  .argument('<name>', benchmarks.map(({ name, what }) => `${name} (${what})`).join('; '), (name) => {
    const found = benchmarks.find((benchmark) => benchmark.name === name);
    if (!found)
      throw new InvalidArgumentError(`Expected ${benchmarks.map((benchmark) => benchmark.name).join(' or ')}.`);
    return found;
  })
  .option('--rounds <number>', 'how often each is measured', wholeNumber)
  .option('--quick', 'small counts where there are large ones: to see that it works, not how fast')
  .option('--json <file>', 'write the raw figures to a file')
  .addHelpText(
    'after',
    '\nExamples:\n  $ npm run bench -- testbed\n  $ npm run bench -- testbed --rounds 9 --json figures.json\n  $ npm run bench -- cold\n  $ npm run bench -- locks --rounds 1 --quick',
  )
  .action(async (chosen, { rounds, json, quick = false }: Flags) => {
    // Commander hands over what the parser of the argument made of it.
    const benchmark = chosen as unknown as Benchmark;
    const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${process.arch}, Node ${process.version}`;
    console.log(`${benchmark.what}; ${machine}\n`);
    const figures = await benchmark.measure(rounds ?? benchmark.rounds, { quick });
    for (const figure of figures) console.log(line(figure));
    if (json)
      await writeFile(
        json,
        `${JSON.stringify({ benchmark: benchmark.name, machine, date: new Date().toISOString(), figures }, null, 2)}\n`,
      );
  })
  .parseAsync();

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 1_000)
    throw new InvalidArgumentError('Expected a whole number from 1 to 1000.');
  return number;
}

function line({ name, unit, values, aim, more }: Figure): string {
  const sorted = values.toSorted((a, b) => a - b);
  const digits = { s: 2, ms: 3, µs: 1, '×': 3, packets: 2 }[unit as string] ?? 0;
  const [least, median, most] = [0, Math.floor((sorted.length - 1) / 2), sorted.length - 1].map((index) =>
    (sorted[index] ?? Number.NaN).toFixed(digits),
  );
  const against = aim === undefined ? '' : `   aim: ${unit === 'MB/s' || more ? 'at least' : 'within'} ${aim} ${unit}`;
  return `${name.padEnd(70)} median ${median} ${unit}, from ${least} to ${most}, of ${values.length}${against}`;
}
