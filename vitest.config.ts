import { availableParallelism } from 'node:os';
import { relative } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { fileBudgets } from './packages/cli/workspace/budgets.ts';

// Sources run unbuilt: this condition picks the .ts files of our own packages.
const conditions = ['@quorate/source'];

interface Lanes {
  readonly include: string[];
  readonly exclude?: string[];
  readonly testTimeout: number;
  /** How many files run at a time. */
  readonly lanes: number;
  /** Projects of a lower number come first. */
  readonly order: number;
  readonly setup?: string[];
  /** Run with each file. */
  readonly setupFiles?: string[];
  /** Whether each file gets a process and modules of its own: half a second of one core for each. */
  readonly isolate?: boolean;
}

const project = (
  name: string,
  { include, exclude = [], testTimeout, lanes, order, setup = [], setupFiles = [], isolate = true }: Lanes,
): object => ({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name,
    include,
    exclude,
    testTimeout,
    globalSetup: setup,
    setupFiles,
    hookTimeout: 120_000,
    maxWorkers: lanes,
    isolate,
    sequence: { groupOrder: order },
    allowOnly: !process.env.CI,
  },
});

const servers = '{packages,examples}/*/test/**';
/** Files that measure time, or that fill the machine by themselves. */
const alone = '*.alone.test.ts';
/** What takes a large download: npm run test:spark. */
const spark = '{*.,}spark.test.ts';
/** What waits for half a minute for others, and proves what seldom changes: npm run test:soak. */
const soak = '*.soak.test.ts';
const setup = ['packages/testbed/test/shared-bed.setup.ts'];

/** Those with a long budget begin first, also where nothing has been timed yet: none of them is left for last, alone. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const order = ({ project }: TestSpecification): number => project.config.sequence.groupOrder;
    const budget = ({ moduleId }: TestSpecification): number =>
      fileBudgets[relative(import.meta.dirname, moduleId)]?.seconds ?? 0;
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => order(a) - order(b) || budget(b) - budget(a));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      project('unit', {
        include: ['packages/*/{src,workspace}/**/*.test.ts'],
        testTimeout: 30_000,
        lanes: availableParallelism(),
        order: 1,
        isolate: false,
      }),
      // A third lane makes the machine so busy that sessions of live clients end.
      project('integration', {
        include: [`${servers}/*.test.ts`],
        exclude: [`${servers}/${alone}`, `${servers}/${spark}`, `${servers}/${soak}`],
        testTimeout: 120_000,
        lanes: 2,
        order: 2,
        setup,
        setupFiles: ['packages/testbed/test/own-environment.setup.ts'],
        isolate: false,
      }),
      project('alone', { include: [`${servers}/${alone}`], testTimeout: 120_000, lanes: 1, order: 3, setup }),
      project('soak', { include: [`${servers}/${soak}`], testTimeout: 120_000, lanes: 1, order: 3, setup }),
      project('spark', { include: [`${servers}/${spark}`], testTimeout: 300_000, lanes: 1, order: 4 }),
    ],
  },
});
