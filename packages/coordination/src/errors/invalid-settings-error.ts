import { QuorateError } from '@quorate/core';

/** One thing that is wrong with a value. */
export interface SettingsIssue {
  /** Where in the value: `limits.max`, `zones[3].name`; empty for the value itself. */
  readonly path: string;
  /** What was expected, in the words of the schema. */
  readonly message: string;
}

/** A value that its schema does not accept: the one that is stored, or one that was to be and therefore is not. */
export class InvalidSettingsError extends QuorateError {
  readonly issues: readonly SettingsIssue[];

  constructor(path: string, which: 'stored' | 'new', issues: readonly SettingsIssue[]) {
    const [first, ...others] = issues;
    const where = first?.path ? `${first.path}: ` : '';
    const more = others.length > 0 ? ` (and ${others.length} more)` : '';
    const outcome =
      which === 'stored'
        ? 'the stored value is not valid; repair it with set'
        : 'the new value is not valid and was not stored';
    super(`${path}: ${outcome}: ${where}${first?.message ?? 'it is refused'}${more}`, {
      code: 'invalid-settings',
      happened: 'no',
    });
    this.issues = issues;
  }
}
