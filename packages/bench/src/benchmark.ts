/** Figures of one kind, one for each round. */
export interface Figure {
  readonly name: string;
  readonly unit: 's' | 'ms' | 'µs' | 'ns' | 'MB' | 'MB/s' | '/s' | 'B' | '×' | 'packets' | 'times';
  readonly values: readonly number[];
  /** What the project has promised: at most this, or of a speed and where `more` says so at least. */
  readonly aim?: number;
  /** More is better. */
  readonly more?: true;
}

interface MeasureOptions {
  /** Small counts: to see that it works, not how fast. */
  readonly quick: boolean;
}

export interface Benchmark {
  readonly name: string;
  readonly what: string;
  /** How often it is measured unless told otherwise. */
  readonly rounds: number;
  /** Kinds that are compared take turns within each round. */
  readonly measure: (rounds: number, options: MeasureOptions) => Promise<readonly Figure[]>;
}
