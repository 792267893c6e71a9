/** What makes a step the same one in every attempt, on whichever worker. */
export interface StepIdentity {
  readonly workflowId: string;
  readonly runId: string;
  readonly activity: string;
  /** Counted within the run, in the order in which the workflow asks; replay counts the same. */
  readonly id: string;
}

/** One text for each step. Workflow ids may contain anything, so the parts are escaped. */
export function stepKey({ workflowId, runId, activity, id }: StepIdentity): string {
  return [workflowId, runId, `${encodeURIComponent(activity)}-${encodeURIComponent(id)}`]
    .map((part, index) => (index < 2 ? encodeURIComponent(part) : part))
    .join('/');
}
