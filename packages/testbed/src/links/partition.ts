import type { Link } from './link.ts';

/** Two sides that do not reach each other, until it is healed. */
export class Partition {
  readonly left: readonly string[];
  readonly right: readonly string[];
  readonly #links: readonly Link[];

  constructor(left: readonly string[], right: readonly string[], links: readonly Link[]) {
    this.left = left;
    this.right = right;
    this.#links = links;
    for (const link of links) link.cut(this);
  }

  /** Ends this partition alone: another one across the same links stays. */
  async heal(): Promise<void> {
    for (const link of this.#links) link.mend(this);
  }
}
