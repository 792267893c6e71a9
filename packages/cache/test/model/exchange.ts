import type { Redis } from 'ioredis';

export interface Word {
  readonly channel: string;
  readonly text: string;
}

/** One server, and one connection for all that is asked of it and one for all that it publishes: what `Wire`s share. */
export class Exchange implements Disposable {
  readonly #commands: Redis;
  readonly #listener: Redis;
  readonly #listeners = new Map<string, (word: Word) => void>();
  readonly #marks = new Map<string, () => void>();
  readonly #underWay = new Set<Promise<unknown>>();
  #number = 0;

  private constructor(commands: Redis, listener: Redis) {
    this.#commands = commands;
    this.#listener = listener;
    listener.on('pmessage', (_pattern, channel, text) => {
      const mark = this.#marks.get(channel);
      if (mark) return mark();
      for (const [prefix, listen] of this.#listeners) if (channel.startsWith(prefix)) listen({ channel, text });
    });
  }

  static async open(commands: Redis): Promise<Exchange> {
    const listener = commands.duplicate();
    await listener.psubscribe('model-*');
    return new Exchange(commands, listener);
  }

  /** A prefix that nobody else has; `listen` gets what is published under it. */
  join(listen: (word: Word) => void): { readonly prefix: string; leave(): void } {
    this.#number += 1;
    const prefix = `model-${process.pid}-${this.#number}-`;
    this.#listeners.set(prefix, listen);
    return { prefix, leave: () => this.#listeners.delete(prefix) };
  }

  execute(command: string, args: readonly unknown[]): Promise<unknown> {
    const send = this.#commands[command as 'get'] as unknown as (...all: readonly unknown[]) => Promise<unknown>;
    const reply = send.apply(this.#commands, args as unknown[]);
    const ended: Promise<unknown> = reply.catch(() => {}).finally(() => this.#underWay.delete(ended));
    this.#underWay.add(ended);
    return reply;
  }

  /** When all that was asked until now is answered, and all that was published until now has arrived. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
    this.#number += 1;
    const channel = `model-mark-${process.pid}-${this.#number}`;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#marks.set(channel, resolve);
    await this.#commands.publish(channel, '');
    await promise;
    this.#marks.delete(channel);
  }

  /** As if their time was over. */
  async forget(keys: readonly string[]): Promise<void> {
    if (keys.length > 0) await this.#commands.del([...keys]);
  }

  [Symbol.dispose](): void {
    this.#commands.disconnect();
    this.#listener.disconnect();
  }
}
