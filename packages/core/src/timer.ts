/** setTimeout fires at once when asked to wait longer than this. */
const longest = 2 ** 31 - 1;

/** A timer of any length. */
export interface Timer {
  clear(): void;
}

/** Calls `done` once after `ms`, however long that is. In the background it does not keep the process alive. */
export function startTimer(ms: number, done: () => void, { background }: { readonly background: boolean }): Timer {
  let left = ms;
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    const part = Math.min(left, longest);
    left -= part;
    timer = setTimeout(left > 0 ? wait : done, part);
    if (background) timer.unref();
  };
  wait();
  return { clear: () => clearTimeout(timer) };
}
