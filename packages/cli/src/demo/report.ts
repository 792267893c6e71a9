import type { Outcome, Row } from '@quorate/concepts';
import { type Verdict, verdictText } from '@quorate/testbed';
import { table } from '../table.ts';

export interface ReportOptions {
  readonly demo: string;
  readonly seed: number;
  readonly fast: boolean;
  readonly sabotage: boolean;
}

/** How a demo went, as plain data. */
export interface Report extends ReportOptions {
  readonly passed: boolean;
  readonly rows: readonly Row[];
  readonly verdicts: readonly Verdict[];
  /** How to run it again. */
  readonly again: string;
}

export function reportOf({ rows, verdicts }: Outcome, options: ReportOptions): Report {
  const { demo, seed, fast, sabotage } = options;
  const flags = `${fast ? ' --fast' : ''}${sabotage ? ' --sabotage' : ''}`;
  return {
    ...options,
    passed: verdicts.every(({ result }) => result === 'valid'),
    rows,
    verdicts,
    again: `npm run demo -- ${demo} --seed ${seed}${flags}`,
  };
}

/** For people. */
export function reportText({ rows, verdicts, passed, sabotage, again }: Report, moral: string): string {
  return [
    '',
    table(cells(rows)),
    '',
    ...verdicts.map(verdictText),
    '',
    conclusion(passed, sabotage, moral),
    `Once more: ${again}`,
  ].join('\n');
}

function conclusion(passed: boolean, sabotage: boolean, moral: string): string {
  if (sabotage)
    return passed
      ? 'Nothing was lost, even so: this run proves nothing.'
      : 'Without the protection it fails, as it should.';
  return passed ? moral : 'It has failed, and it should not have.';
}

function cells(rows: readonly Row[]): string[][] {
  const columns = Object.keys(rows[0] ?? {});
  return [
    columns.map((column) => column.toUpperCase()),
    ...rows.map((row) => columns.map((column) => String(row[column]))),
  ];
}
