/** A child node that stands in a line. */
export interface Contender {
  readonly name: string;
  /** What the name says ahead of the number: `lock-`, `__READ__`, … */
  readonly mark: string;
  readonly sequence: number;
  /** The token of whoever has put this node in place of another one of its own. */
  readonly token?: bigint;
}

/** What a name says ahead of its mark, so that others see the same token as the holder. */
export function withToken(token: bigint, mark: string): string {
  return `t${token}-${mark}`;
}

/** Whoever has one of the marks and a sequence number behind it, also when it was not made by us. */
export function contenderOf(name: string, marks: readonly string[]): Contender | undefined {
  for (const mark of marks) {
    const start = name.lastIndexOf(mark);
    if (start === -1) continue;
    const number = name.slice(start + mark.length);
    // Ten characters; but past 2,147,483,647 the servers go on with -2147483648.
    if (!/^(\d{10}|-\d{9,10})$/.test(number)) continue;
    const token = /(?:^|-)t(\d{1,19})-$/.exec(name.slice(0, start))?.[1];
    return { name, mark, sequence: Number(number), ...(token !== undefined && { token: BigInt(token) }) };
  }
  return undefined;
}

/** The order of arrival. The servers count with 32 bits: after the largest number comes the smallest. */
export function byArrival(a: Contender, b: Contender): number {
  return (a.sequence - b.sequence) | 0;
}
