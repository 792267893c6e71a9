/** The health of something: `pass` healthy, `warn` usable but degraded, `fail` not usable. */
export interface Health {
  readonly status: 'pass' | 'warn' | 'fail';
  /** One sentence for people. Never a secret. */
  readonly detail?: string;
  /** What this answer is made of, by name. */
  readonly parts?: Readonly<Record<string, Health>>;
}

const severity = { pass: 0, warn: 1, fail: 2 } as const;

/** The health of a whole: as bad as its worst part. Without parts it is `pass`. */
export function combinedHealth(parts: Readonly<Record<string, Health>>): Health {
  let status: Health['status'] = 'pass';
  for (const part of Object.values(parts)) if (severity[part.status] > severity[status]) status = part.status;
  return { status, parts };
}
