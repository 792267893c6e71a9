/** A call on a register, its values as texts. An output of `undefined` is not known. */
export type RegisterCall =
  | { readonly op: 'read'; readonly output: string | undefined }
  | { readonly op: 'write'; readonly value: string }
  | { readonly op: 'cas'; readonly expect: string; readonly value: string; readonly output: boolean | undefined };
