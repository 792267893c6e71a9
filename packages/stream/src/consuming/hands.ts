/** How many things are worked on at the same time. What is to be done waits in line for a free hand. */
export class Hands<Task> {
  readonly #count: number;
  readonly #work: (task: Task) => Promise<void> | undefined;
  #line: Task[] = [];
  #first = 0;
  #busy = 0;
  #held = false;
  #running = false;

  /** The promise of `work` is that of its end, and does not reject; undefined when there was nothing to do. */
  constructor(count: number, work: (task: Task) => Promise<void> | undefined) {
    this.#count = count;
    this.#work = work;
  }

  get busy(): number {
    return this.#busy;
  }

  add(task: Task): void {
    this.#line.push(task);
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
    // Work that ends at once adds more: the loop that is running takes it.
    if (this.#running) return;
    this.#running = true;
    while (!this.#held && this.#busy < this.#count && this.#first < this.#line.length) {
      const task = this.#line[this.#first] as Task;
      this.#first += 1;
      if (this.#first >= 512) this.#compact();
      const end = this.#work(task);
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
