import { QuorateError } from '@quorate/core';

/** There is no such topic. Nothing was written. */
export class UnknownTopicError extends QuorateError {
  readonly topic: string;

  constructor(topic: string, options: { readonly cause?: unknown } = {}) {
    super(`there is no topic "${topic}": make it with topic.create(), or check its name`, {
      ...options,
      code: 'unknown-topic',
      happened: 'no',
    });
    this.topic = topic;
  }
}
