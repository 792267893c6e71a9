import { ApplicationFailure } from '@temporalio/common';
import type { SagaReport } from './saga-report.ts';

/** What our failures tell beside type and message, as their first detail. */
export interface ErrorDetail {
  /** `no`: what was asked for certainly did not happen and never will. */
  readonly happened: 'no' | 'unknown';
  /** Of a workflow: what became of its sagas. */
  readonly undone?: SagaReport;
}

/** That of a failure; nothing where another library, or nobody, has said it. */
export function detailOf(failure: unknown): Partial<ErrorDetail> | undefined {
  const detail: unknown = failure instanceof ApplicationFailure ? failure.details?.[0] : undefined;
  return typeof detail === 'object' && detail !== null ? detail : undefined;
}
