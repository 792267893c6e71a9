/**
 * Milliseconds on the machine's monotonic clock. It starts when the machine does, not the process, so the histories of
 * several processes of one machine can be put together. Those of different machines cannot.
 */
export function monotonicClock(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
