import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';
import { root } from './command.ts';

/** What a run of Vitest left for the command that started it. */
export interface TestReport {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Errors outside of any test: they fail the run without a failed test. */
  readonly errors: number;
  readonly files: readonly FileTime[];
}

export interface FileTime {
  /** From the root of the repository. */
  readonly file: string;
  /** Loading it included: it occupied a lane for so long. */
  readonly seconds: number;
  /** Tests of it were left out, by a filter of names or by `only`. */
  readonly isPart?: true;
}

/** Where the report goes: an environment variable, because Vitest makes its reporters itself. */
export const reportVariable = 'QUORATE_TEST_REPORT';

/** Counts the tests, and says how long each file took. */
export default class implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const files: FileTime[] = [];
    for (const module of modules) {
      let isPart = module.project.config.testNamePattern !== undefined;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state !== 'pending') counts[state] += 1;
        isPart ||= test.options.mode === 'only';
      }
      // A file that cannot be loaded has no tests.
      counts.failed += module.errors().length;
      const { duration, collectDuration, setupDuration, prepareDuration } = module.diagnostic();
      const seconds = (duration + collectDuration + setupDuration + prepareDuration) / 1000;
      files.push({
        file: relative(root, module.moduleId),
        seconds: Math.round(seconds * 100) / 100,
        ...(isPart && { isPart }),
      });
    }
    const report: TestReport = { ...counts, errors: errors.length, files };
    const file = process.env[reportVariable];
    if (file) writeFileSync(file, JSON.stringify(report));
  }
}
