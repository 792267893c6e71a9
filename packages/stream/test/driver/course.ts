import type { ReadRecord } from '../../src/driver/record.ts';

/** What came of one partition. It complains of what no reader may do: records again, out of order, or `next` that goes back. */
export class Course {
  readonly records: ReadRecord[] = [];
  /** How often something came, also without records. */
  calls = 0;
  next: bigint;
  end = -1n;
  readonly #name: string;
  readonly #complain: (of: string) => void;

  constructor(name: string, from: bigint, complain: (of: string) => void) {
    this.#name = name;
    this.next = from;
    this.#complain = complain;
  }

  take(records: readonly ReadRecord[], { next, end }: { readonly next: bigint; readonly end: bigint }): void {
    this.calls += 1;
    for (const record of records) {
      if (record.offset < this.next) this.#complain(`${this.#name}: ${record.offset} came after ${this.next - 1n}`);
      const { key, value, headers, timestamp, offset } = record;
      this.records.push({ key, value, headers, timestamp, offset });
      this.next = offset + 1n;
    }
    if (next < this.next) this.#complain(`${this.#name}: next is ${next} where ${this.next} was to come`);
    if (end < next) this.#complain(`${this.#name}: next is ${next}, past the end ${end}`);
    this.next = next;
    this.end = end;
  }

  /** After missed messages, or where a new owner begins. */
  goOnAt(offset: bigint): void {
    this.next = offset;
  }

  get values(): string[] {
    return this.records.map(({ value }) => String(value));
  }

  get lag(): bigint {
    return this.end - this.next;
  }
}
