/** Calls what an application gave us. What it throws is its own uncaught error, and must not stop the protocol. */
export function callOut<T>(listener: (value: T) => void, value: T): void {
  try {
    listener(value);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
