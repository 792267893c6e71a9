import { QuorateError } from '@quorate/core';
import type { Published } from '../topic/message.ts';

/** Of the messages that were to be published together, some were not, or nobody knows of them. */
export class PartlyPublishedError extends QuorateError {
  /** In the order of the messages: where each stands, or why it does not, or why nobody knows. */
  readonly outcomes: readonly (Published | { readonly error: unknown })[];

  constructor(outcomes: readonly (Published | { readonly error: unknown })[], cause: unknown) {
    const failed = outcomes.filter((outcome) => 'error' in outcome).length;
    super(`${failed} of ${outcomes.length} messages were not published, or nobody knows; see "outcomes" for each`, {
      code: 'partly-published',
      cause,
    });
    this.outcomes = outcomes;
  }
}
