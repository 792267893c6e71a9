import { InvalidArgumentError } from '@quorate/core';

/** What is wrong with a link. What is not named is well. */
export interface LinkFaults {
  /** How much later bytes arrive, each way: a question and its answer take twice as long. */
  readonly latencyMs?: number;
  /** Up to this much on top of the latency, by chance. The order of bytes stays. */
  readonly jitterMs?: number;
  /** Where the chance of the jitter starts. Default 0. */
  readonly seed?: number;
  /** How much passes each way. */
  readonly bytesPerSecond?: number;
  /** A slow drip: so few bytes at a time, and so long between them. Instead of `bytesPerSecond`. */
  readonly drip?: { readonly bytes: number; readonly everyMs: number };
  /**
   * Nothing arrives: neither bytes nor the end of a connection, and a new connection hangs. With the name of a party,
   * only what that party sends is lost. What was sent meanwhile arrives after healing, as when TCP sends it once more.
   */
  readonly blackHole?: true | string;
  /** Each connection ends after so many more bytes of either party, or of `from`: in the middle of a message. */
  readonly cut?: { readonly afterBytes: number; readonly from?: string };
  /**
   * The connections there are end for one party, by a reset, while this one believes them open and hears nothing. New
   * ones are well. After healing the stale ones are reset.
   */
  readonly halfOpen?: string;
  /** The connections there are and each new one are reset. */
  readonly refuse?: boolean;
}

export type Parties = readonly [string, string];

type Check = (argument: string, value: unknown, parties: Parties) => void;

/** In milliseconds: a timer that is asked to wait longer fires at once. */
export const longestWait: number = 2 ** 31 - 1;

const number =
  (least: number, expected: string, { whole = false, most = 1e12 } = {}): Check =>
  (argument, value) => {
    const valid = typeof value === 'number' && value >= least && value <= most && (!whole || Number.isInteger(value));
    if (!valid) throw new InvalidArgumentError(argument, expected, value);
  };
const milliseconds = (least: number): Check =>
  number(least, `milliseconds from ${least} to ${longestWait}`, { most: longestWait });
const bytes = number(1, 'a whole number of bytes, 1 or more', { whole: true });
const party: Check = (argument, value, parties) => {
  if (!parties.includes(value as string)) throw new InvalidArgumentError(argument, parties.join(' or '), value);
};
const bag =
  (checks: Record<string, Check>, required: readonly string[] = []): Check =>
  (argument, value, parties) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new InvalidArgumentError(argument, `an object with ${Object.keys(checks).join(', ')}`, value);
    for (const [name, given] of Object.entries(value)) {
      const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
      if (!check)
        throw new InvalidArgumentError(argument, `one of the settings ${Object.keys(checks).join(', ')}`, name);
      if (given !== undefined) check(`${argument}.${name}`, given, parties);
    }
    for (const name of required)
      checks[name]?.(`${argument}.${name}`, (value as Record<string, unknown>)[name], parties);
  };

const faults = bag({
  latencyMs: milliseconds(0),
  jitterMs: milliseconds(0),
  seed: number(Number.MIN_SAFE_INTEGER, 'a whole number', { whole: true }),
  bytesPerSecond: number(1, 'bytes per second, 1 or more'),
  drip: bag({ bytes, everyMs: milliseconds(1) }, ['bytes', 'everyMs']),
  blackHole: (argument, value, parties) => {
    if (value !== true && !parties.includes(value as string))
      throw new InvalidArgumentError(argument, `true, ${parties.join(' or ')}`, value);
  },
  cut: bag({ afterBytes: bytes, from: party }, ['afterBytes']),
  halfOpen: party,
  refuse: (argument, value) => {
    if (typeof value !== 'boolean') throw new InvalidArgumentError(argument, 'true or false', value);
  },
});

/** Refuses what makes no sense, by name, before anything is broken. */
export function checkFaults(value: LinkFaults, parties: Parties): void {
  faults('faults', value, parties);
  if (value.drip && value.bytesPerSecond !== undefined)
    throw new InvalidArgumentError('faults', 'drip or bytesPerSecond, not both', value);
}
