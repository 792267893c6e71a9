import { isQuorateError, type QuorateError } from '@quorate/core';
import type { Admin } from '../driver/admin.ts';
import type { Transactor } from '../driver/transactor.ts';
import type { RefusedError } from '../errors/refused-error.ts';
import { UnknownTopicError } from '../errors/unknown-topic-error.ts';
import { ofOneMessage } from '../publishing/publisher.ts';
import type { Output } from '../topic/prepared.ts';
import type { Entry } from './entry.ts';
import { portionsOf } from './portions.ts';

/** In milliseconds: less than a transaction may take. What was not found by then is, the next time. */
const patience = 10_000;

const never: AbortSignal = new AbortController().signal;

interface Made {
  readonly entry: Entry;
  readonly output: Output;
}

/** Whether it is because of what was to be written that it was refused: it would be, each time. */
export function isOfWhatIsSent(error: unknown): error is QuorateError {
  if (isQuorateError(error, 'refused')) return ofOneMessage.has((error as RefusedError).reason);
  return isQuorateError(error, 'message-too-large') || isQuorateError(error, 'unknown-topic');
}

/** Looks for the messages of which something came that Kafka does not take, in a transaction that comes to nothing. */
export class Search {
  readonly #transactor: Transactor;
  readonly #admin: Admin;
  /** So many bytes go to a partition at a time. */
  readonly #portion: number;
  readonly #refused = new Map<Entry, QuorateError>();
  readonly #until = performance.now() + patience;
  #all: readonly Made[] = [];

  constructor(transactor: Transactor, admin: Admin, portion: number) {
    this.#transactor = transactor;
    this.#admin = admin;
    this.#portion = portion;
  }

  /** With why. The transactor is in the middle of the transaction afterwards. */
  async among(sources: readonly Entry[]): Promise<ReadonlyMap<Entry, QuorateError>> {
    await this.#transactor.begin();
    this.#all = sources.flatMap((entry) => entry.outputs.map((output) => ({ entry, output })));
    await this.#search(this.#all);
    return this.#refused;
  }

  /** By halves, until one that is refused is alone. */
  async #search(made: readonly Made[]): Promise<void> {
    const left = made.filter(({ entry }) => !this.#refused.has(entry));
    const [first] = left;
    if (!first || (this.#refused.size > 0 && performance.now() > this.#until)) return;
    const outputs = left.map(({ output }) => output);
    try {
      for (const portion of portionsOf(outputs, this.#portion)) await this.#transactor.append(portion);
    } catch (error) {
      if (!isOfWhatIsSent(error)) throw error;
      if (error instanceof UnknownTopicError) {
        await this.#noteGone(error);
        await this.#search(left);
      } else if (left.length === 1) this.#refused.set(first.entry, error);
      else {
        const middle = Math.ceil(left.length / 2);
        await this.#search(left.slice(0, middle));
        await this.#search(left.slice(middle));
      }
    }
  }

  /** All that goes where there is nothing: to find it out takes some time for each. */
  async #noteGone(error: UnknownTopicError): Promise<void> {
    const { length } = (await this.#admin.leaders(error.topic, never)) ?? [];
    const gone = this.#all.filter(({ output }) => output.topic === error.topic && output.partition >= length);
    // It is there after all.
    if (gone.length === 0) throw error;
    for (const { entry } of gone) this.#refused.set(entry, error);
  }
}
