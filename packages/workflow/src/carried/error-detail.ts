import type { SagaReport } from './saga-report.ts';

/** What our failures tell beside type and message, as their first detail. */
export interface ErrorDetail {
  /** `no`: what was asked for certainly did not happen and never will. */
  readonly happened: 'no' | 'unknown';
  /** Of a workflow: what became of its sagas. */
  readonly undone?: SagaReport;
}
