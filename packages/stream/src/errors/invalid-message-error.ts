import { QuorateError } from '@quorate/core';

/** The message is not what the topic's schema allows. It was not sent. */
export class InvalidMessageError extends QuorateError {
  readonly topic: string;

  constructor(topic: string, part: 'key' | 'value', why: string) {
    super(`${topic}: the ${part} is not what the topic takes: ${why}; nothing was sent`, {
      code: 'invalid-message',
      happened: 'no',
    });
    this.topic = topic;
  }
}
