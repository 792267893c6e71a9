import type { Lane } from './lane.ts';

/** How many messages are worked on at the same time, over all partitions and keys of a consumer. Lanes wait in line for a free hand. */
export class Hands {
  readonly #count: number;
  readonly #work: (lane: Lane) => Promise<void> | undefined;
  #line: Lane[] = [];
  #first = 0;
  #busy = 0;
  #held = false;
  #running = false;

  /** `work` does the first message of a lane; the promise is that of its end, and does not reject. */
  constructor(count: number, work: (lane: Lane) => Promise<void> | undefined) {
    this.#count = count;
    this.#work = work;
  }

  get busy(): number {
    return this.#busy;
  }

  /** The lane has a message to be worked on. */
  add(lane: Lane): void {
    this.#line.push(lane);
    this.#run();
  }

  /** Begins nothing until `resume`. */
  hold(): void {
    this.#held = true;
  }

  resume(): void {
    this.#held = false;
    this.#run();
  }

  #run(): void {
    // Work that ends at once adds its lane again: the loop that is running takes it.
    if (this.#running) return;
    this.#running = true;
    while (!this.#held && this.#busy < this.#count && this.#first < this.#line.length) {
      const lane = this.#line[this.#first] as Lane;
      this.#first += 1;
      if (this.#first >= 512) this.#compact();
      const end = this.#work(lane);
      if (!end) continue;
      this.#busy += 1;
      void end.then(() => {
        this.#busy -= 1;
        this.#run();
      });
    }
    if (this.#first === this.#line.length) this.#compact();
    this.#running = false;
  }

  #compact(): void {
    this.#line = this.#line.slice(this.#first);
    this.#first = 0;
  }
}
