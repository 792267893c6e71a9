/** What makes a step the same one in every attempt, on whichever worker. */
export interface StepIdentity {
  readonly workflowId: string;
  /** Which run of the workflow. */
  readonly run: string;
  readonly activity: string;
  /** Counted within the run, in the order in which the workflow asks; replay counts the same. */
  readonly id: string;
}

/** One text for each step. Workflow ids may contain anything, so the parts are escaped. */
export function stepKey({ workflowId, run, activity, id }: StepIdentity): string {
  const [ofWorkflow, ofRun, ofActivity, ofCall] = [workflowId, run, activity, id].map(encodeURIComponent);
  return `${ofWorkflow}/${ofRun}/${ofActivity}-${ofCall}`;
}
