/**
 * When a timer that is set for a moment really rings. On a busy machine all timers of a process are late together:
 * whoever promises to act at that moment is measured against this one, not against the clock.
 */
export function rings(moment: number): Promise<number> {
  return new Promise((resolve) => setTimeout(() => resolve(performance.now()), moment - performance.now()));
}
