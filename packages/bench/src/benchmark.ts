/** Figures of one kind, one for each round. */
export interface Figure {
  readonly name: string;
  readonly unit: 's' | 'ms' | 'µs' | 'ns' | 'MB' | 'MB/s' | '/s' | 'B' | '×';
  readonly values: readonly number[];
  /** What the project has promised: at most this, or of a speed at least. */
  readonly aim?: number;
}

export interface Benchmark {
  readonly name: string;
  readonly what: string;
  /** How often it is measured unless told otherwise. */
  readonly rounds: number;
  /** Kinds that are compared take turns within each round. */
  readonly measure: (rounds: number) => Promise<readonly Figure[]>;
}
