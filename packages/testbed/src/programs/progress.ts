/** How far a long step is. `done` and `total` are of the same unit; without a total only time passing is known. */
export interface Progress {
  /** What the step is for: `consul`. */
  readonly name: string;
  /** What is being done, for people: `building consul 1.22.3 with Go`. */
  readonly step: string;
  readonly done?: number;
  readonly total?: number;
  /** True in the last event of the step. */
  readonly finished?: boolean;
}

export type OnProgress = (progress: Progress) => void;
