/** What became of the steps of a saga that was undone, by their names; the last step first. */
export interface SagaReport {
  readonly undone: readonly string[];
  /** Could not be undone: somebody has to look. */
  readonly notUndone: readonly { readonly step: string; readonly why: string }[];
  /** Certainly had not happened, so there was nothing to undo. */
  readonly neverDone: readonly string[];
}
