/**
 * Where a process whose own clocks are wrong on purpose keeps the machine's: on `process`, for whichever copy of this
 * module its program loads.
 */
export const machineNanoseconds: unique symbol = Symbol.for('@quorate/testbed: nanoseconds of the machine');

/**
 * Milliseconds on the machine's monotonic clock. It starts when the machine does, not the process, so the histories of
 * several processes of one machine can be put together, also of a `SkewedProcess`. Those of different machines cannot.
 */
export function monotonicClock(): number {
  const { [machineNanoseconds]: nanoseconds = process.hrtime.bigint } = process as Clocked;
  return Number(nanoseconds()) / 1e6;
}

interface Clocked {
  readonly [machineNanoseconds]?: () => bigint;
  readonly hrtime: { bigint(): bigint };
}
