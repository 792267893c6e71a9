import { QuorateError } from '@quorate/core';

/** What was put is not what this queue's serializer reads. The item is held all the same. */
export class UnreadableItemError extends QuorateError {
  constructor(path: string, options: { readonly cause: unknown }) {
    super(
      `${path}: the serializer cannot read this item; keep its bytes elsewhere and call done(), or it is delivered again and again`,
      { ...options, code: 'unreadable-item' },
    );
  }
}
