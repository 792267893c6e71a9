/** setTimeout fires at once when asked to wait longer than this. */
const longest = 2 ** 31 - 1;

/**
 * Calls `late` when so many milliseconds have passed, at two looks. When the process has stood still, an answer may lie there unread at the
 * first, and is taken before the second.
 */
export function whenLate(ms: number, late: () => void): Disposable {
  let isOver = false;
  const look = (): void => {
    // What has come is read after the timers.
    timer = setTimeout(() => setImmediate(() => !isOver && late()), Math.min(ms / 4, 100));
  };
  let timer = setTimeout(look, Math.min(ms, longest));
  return {
    [Symbol.dispose]: () => {
      isOver = true;
      clearTimeout(timer);
    },
  };
}
