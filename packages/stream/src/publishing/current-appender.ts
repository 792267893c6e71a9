import type { QuorateError } from '@quorate/core';
import { isQuorateError } from '@quorate/core';
import type { Appended, Appender } from '../driver/appender.ts';
import type { RecordBatch } from '../driver/record.ts';
import { KafkaUnreachableError } from '../errors/kafka-unreachable-error.ts';

/** The appender that is in use. After an outcome that nobody knows another one takes its place: later batches could be taken for repetitions. */
export class CurrentAppender {
  readonly #open: () => Promise<Appender>;
  #current: Turn | undefined;

  constructor(open: () => Promise<Appender>) {
    this.#open = open;
  }

  async append(batches: readonly RecordBatch[]): Promise<readonly Appended[]> {
    this.#current ??= new Turn(this.#open());
    const turn = this.#current;
    const outcomes = await turn.append(batches);
    if (outcomes.some(({ error }) => error?.happened === 'unknown') || turn.neverBegan) this.#retire(turn);
    return outcomes;
  }

  async close(): Promise<void> {
    const turn = this.#current;
    if (turn) this.#retire(turn);
    await turn?.closed;
  }

  #retire(turn: Turn): void {
    if (this.#current === turn) this.#current = undefined;
    turn.retire();
  }
}

/** From when an appender comes into use until it is closed: when it is retired, and the last of its requests has ended. */
class Turn {
  readonly closed: Promise<void>;
  neverBegan = false;
  readonly #appender: Promise<Appender>;
  readonly #over = Promise.withResolvers<void>();
  #underWay = 0;
  #retired = false;

  constructor(appender: Promise<Appender>) {
    this.#appender = appender;
    this.closed = this.#over.promise.then(() => appender.then((one) => one.close())).catch(() => {});
  }

  async append(batches: readonly RecordBatch[]): Promise<readonly Appended[]> {
    this.#underWay += 1;
    try {
      const appender = await this.#appender;
      return await appender.append(batches);
    } catch (error) {
      this.neverBegan = true;
      const why: QuorateError = isQuorateError(error) ? error : new KafkaUnreachableError('publish', { cause: error });
      return batches.map(() => ({ error: why }));
    } finally {
      this.#underWay -= 1;
      this.#endWhenUnused();
    }
  }

  retire(): void {
    this.#retired = true;
    this.#endWhenUnused();
  }

  #endWhenUnused(): void {
    if (this.#retired && this.#underWay === 0) this.#over.resolve();
  }
}
