/** How well something is: `pass` as it should be, `warn` usable but not whole, `fail` not usable. */
export interface Health {
  readonly status: 'pass' | 'warn' | 'fail';
  /** One sentence for people. Never a secret. */
  readonly detail?: string;
  /** What this answer is made of, by name. */
  readonly parts?: Readonly<Record<string, Health>>;
}

const severity = { pass: 0, warn: 1, fail: 2 } as const;

/** The health of a whole: as bad as its worst part. Nothing at all is well. */
export function combinedHealth(parts: Readonly<Record<string, Health>>): Health {
  let status: Health['status'] = 'pass';
  for (const part of Object.values(parts)) if (severity[part.status] > severity[status]) status = part.status;
  return { status, parts };
}
