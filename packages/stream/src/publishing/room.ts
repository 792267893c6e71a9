/** A bound on what waits to be sent, in bytes. Who finds it full waits outside, in order. */
export class Room<Guest extends { readonly size: number }> {
  readonly #most: number;
  readonly #admit: (guest: Guest) => void;
  readonly #outside = new Set<Guest>();
  #taken = 0;

  /** `admit` is called as soon as there is room for a guest. One that is larger than all of the room gets in when it is empty. */
  constructor(most: number, admit: (guest: Guest) => void) {
    this.#most = most;
    this.#admit = admit;
  }

  get taken(): number {
    return this.#taken;
  }

  get outside(): number {
    return this.#outside.size;
  }

  enter(guest: Guest): void {
    if (this.#outside.size > 0 || !this.#fits(guest)) this.#outside.add(guest);
    else this.#letIn(guest);
  }

  /** Whether it still stood outside. */
  giveUp(guest: Guest): boolean {
    if (!this.#outside.delete(guest)) return false;
    this.#letInAll();
    return true;
  }

  leave(guest: Guest): void {
    this.#taken -= guest.size;
    if (this.#outside.size > 0) this.#letInAll();
  }

  #letInAll(): void {
    for (const guest of this.#outside) {
      if (!this.#fits(guest)) return;
      this.#outside.delete(guest);
      this.#letIn(guest);
    }
  }

  #letIn(guest: Guest): void {
    this.#taken += guest.size;
    this.#admit(guest);
  }

  #fits({ size }: Guest): boolean {
    return this.#taken === 0 || this.#taken + size <= this.#most;
  }
}
