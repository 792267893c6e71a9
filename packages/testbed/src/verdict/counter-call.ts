/** A call on a counter. An output of `undefined` is not known. */
export type CounterCall =
  | { readonly op: 'add'; readonly by: bigint; readonly output: bigint | undefined }
  | { readonly op: 'read'; readonly output: bigint | undefined };
