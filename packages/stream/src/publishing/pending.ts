import { AmbiguousError } from '@quorate/core';
import { type KafkaRecord, sizeOf } from '../driver/record.ts';

/** Told once what became of a record: where it stands, or why not. A promise for each would be the larger part of what a message costs. */
export type Told = (error: unknown, offset: bigint | undefined) => void;

/** One record on its way to a partition, and whoever waits for it. */
export class Pending {
  readonly topic: string;
  readonly partition: number;
  readonly record: KafkaRecord;
  /** About what it takes in a request. */
  readonly size: number;
  readonly #told: Told;
  #unlisten: (() => void) | undefined;
  #state: 'waiting' | 'sent' | 'settled' = 'waiting';

  constructor(topic: string, partition: number, record: KafkaRecord, told: Told) {
    this.topic = topic;
    this.partition = partition;
    this.record = record;
    this.size = sizeOf(record);
    this.#told = told;
  }

  /** Whoever waits gives up when the signal aborts: what was not sent is not going to be, and of what was sent nobody knows. */
  until(signal: AbortSignal, gaveUp: (pending: Pending) => void): void {
    const giveUp = (): void => {
      const { reason } = signal;
      const doubt = 'the message was on its way when the caller gave up: it may have been written';
      this.fail(this.#state === 'sent' ? new AmbiguousError(doubt, { cause: reason }) : reason);
      gaveUp(this);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    this.#unlisten = () => signal.removeEventListener('abort', giveUp);
  }

  /** False when nobody waits for it any more: then it is not to be sent. */
  send(): boolean {
    if (this.#state === 'settled') return false;
    this.#state = 'sent';
    return true;
  }

  /** It was refused together with others, and is to be sent once more. */
  takeBack(): void {
    if (this.#state === 'sent') this.#state = 'waiting';
  }

  done(offset: bigint): void {
    if (this.#settle()) this.#told(undefined, offset);
  }

  fail(error: unknown): void {
    if (this.#settle()) this.#told(error, undefined);
  }

  #settle(): boolean {
    if (this.#state === 'settled') return false;
    this.#state = 'settled';
    this.#unlisten?.();
    return true;
  }
}
