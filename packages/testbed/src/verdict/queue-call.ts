/** A call on a queue. */
export type QueueCall =
  | { readonly op: 'enqueue'; readonly value: string }
  /** `null`: it was empty. `undefined`: not known. */
  | { readonly op: 'dequeue'; readonly value: string | null | undefined };
