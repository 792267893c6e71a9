import { InvalidArgumentError } from '@quorate/core';
import { MessageTooLargeError } from '../errors/message-too-large-error.ts';
import type { NewMessage } from '../topic/message.ts';
import type { Output, Publishable } from '../topic/prepared.ts';
import type { RecordLimits } from './record-limits.ts';

/** What a handler publishes together with its progress: both are there, or neither. */
export interface Transaction {
  /**
   * Resolves, with the message's id, when it is known where it goes, and that it is not too large. It is there for readers when the transaction has been committed, some time after the handler.
   * What Kafka does not take then, for what is in it, makes a dead letter of the message that was handled.
   */
  publish<Input>(topic: Publishable<Input>, message: NewMessage<Input>): Promise<{ readonly id: string }>;
}

/** Gathers what one run of a handler publishes. */
export class Gathering implements Transaction {
  readonly outputs: Output[] = [];
  readonly #limits: RecordLimits | undefined;
  readonly #signal: AbortSignal;
  #over = false;

  /** `limits`: without them, what is too large is found out later. */
  constructor(signal: AbortSignal = new AbortController().signal, limits?: RecordLimits) {
    this.#signal = signal;
    this.#limits = limits;
  }

  async publish<Input>(topic: Publishable<Input>, message: NewMessage<Input>): Promise<{ readonly id: string }> {
    // Its place is kept from the beginning: the order is that of the calls.
    const place = this.outputs.push(undefined as never) - 1;
    const { id, ...output } = await topic.prepare(message);
    if (await this.#limits?.isTooLarge(output.topic, output.record, this.#signal))
      throw new MessageTooLargeError(`publish to "${output.topic}" in a transaction`);
    if (this.#over) throw new InvalidArgumentError('transaction', 'to be used before the handler has ended');
    this.outputs[place] = output;
    return { id };
  }

  end(): readonly Output[] {
    this.#over = true;
    return this.outputs.filter((output) => output !== undefined);
  }
}

/** Of a consumer without transactions. */
export const noTransaction: Transaction = {
  publish: () =>
    Promise.reject(new InvalidArgumentError('transactional', 'true, for handlers that use the transaction')),
};
