import { isQuorateError } from '@quorate/core';
import type { Admin } from '../driver/admin.ts';
import { type KafkaRecord, sizeOf } from '../driver/record.ts';

/** By Kafka's name: how large a batch may be, and so a record that is alone in one. */
export const largest = 'max.message.bytes';

/** What a batch adds to its records, and a little for long headers. */
const frame = 100;

/** How large a record may be, by topic. One that was compressed where it stands may be too large anywhere else: nothing is compressed here. */
export class RecordLimits {
  readonly #admin: Admin;
  readonly #known = new Map<string, number>();

  constructor(admin: Admin) {
    this.#admin = admin;
  }

  /** How many bytes of the record are too many for the topic; 0 when it takes it, or nobody may know. */
  async excess(topic: string, record: KafkaRecord, signal: AbortSignal): Promise<number> {
    const size = sizeOf(record) + frame;
    if (size <= (this.#known.get(topic) ?? 0)) return 0;
    // Asked again for each that is too large: somebody may have raised it.
    const most = await this.#ask(topic, signal);
    this.#known.set(topic, most);
    return Math.max(0, size - most);
  }

  /** Whether its key and value alone are more than the topic takes. */
  async isTooLarge(topic: string, record: KafkaRecord, signal: AbortSignal): Promise<boolean> {
    return (await this.excess(topic, record, signal)) > sizeOf({ ...record, key: null, value: null }) + frame;
  }

  async #ask(topic: string, signal: AbortSignal): Promise<number> {
    try {
      return Number((await this.#admin.describeTopic(topic, [largest], signal))?.settings[largest] ?? Infinity);
    } catch (error) {
      if (isQuorateError(error, 'not-authorized')) return Infinity;
      throw error;
    }
  }
}
