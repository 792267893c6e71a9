import { QuorateError } from '@quorate/core';

/** The message is larger than allowed. It was not written. */
export class MessageTooLargeError extends QuorateError {
  constructor(what: string, options: { readonly cause?: unknown } = {}) {
    super(
      `${what}; store it elsewhere and send its address, or raise max.message.bytes of the topic and maxMessageBytes`,
      {
        ...options,
        code: 'message-too-large',
        happened: 'no',
      },
    );
  }
}
