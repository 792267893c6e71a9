import { QuorateError } from '@quorate/core';

/** No broker could be reached, or none that could answer, within the time there was. Nothing was written. */
export class KafkaUnreachableError extends QuorateError {
  constructor(what: string, options: { readonly cause?: unknown } = {}) {
    super(`${what}: no broker answers; see that the addresses are right and that Kafka runs`, {
      ...options,
      code: 'kafka-unreachable',
      retryable: true,
      happened: 'no',
    });
  }
}
