interface End {
  readonly kind: string;
  readonly at: number;
  readonly end: () => Promise<void>;
  readonly timer: NodeJS.Timeout;
}

/**
 * When faults that last for a time end, by what they break: a server, its disk, a link. Whatever is done to the same
 * part later takes their place, so that the end of an earlier fault never ends a later one.
 */
export class FaultEnds {
  readonly #ends = new Map<string, End>();

  /** Ends the fault of this part at that time, on the clock of `performance.now()`. */
  plan(part: string, kind: string, at: number, end: () => Promise<void>): void {
    const run = (): void => {
      this.#ends.delete(part);
      // Nobody is there to be told when it cannot end: the state of the servers says so.
      void end().catch(() => {});
    };
    const timer = setTimeout(run, Math.max(0, at - performance.now())).unref();
    this.#ends.set(part, { kind, at, end, timer });
  }

  /** Does something to these parts in place of what was to end there. When it fails, the earlier faults end as planned. */
  async replace<Result>(parts: readonly string[], act: () => Promise<Result>): Promise<Result> {
    const planned = parts.flatMap((part) => {
      const end = this.#ends.get(part);
      clearTimeout(end?.timer);
      this.#ends.delete(part);
      return end ? [{ part, ...end }] : [];
    });
    try {
      return await act();
    } catch (error) {
      for (const { part, kind, at, end } of planned) this.plan(part, kind, at, end);
      throw error;
    }
  }

  /** What is to end by itself, but for faults of this kind. */
  partsExcept(kind: string): string[] {
    return [...this.#ends].filter(([, end]) => end.kind !== kind).map(([part]) => part);
  }
}
