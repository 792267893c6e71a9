import { checkSignal, type Health } from '@quorate/core';
import type { Driver } from './driver/driver.ts';
import { drivers } from './driver/drivers.ts';
import { StreamClosedError } from './errors/stream-closed-error.ts';
import { Layout } from './publishing/layout.ts';
import { Publisher } from './publishing/publisher.ts';
import type { StreamSettings } from './stream-options.ts';
import type { Tracing } from './tracing.ts';

/** What needs the driver. */
export interface Opened {
  readonly driver: Driver;
  readonly layout: Layout;
  readonly publisher: Publisher;
  readonly tracing: Required<Tracing> | undefined;
}

/** What ends with the stream. */
export interface Tenant {
  readonly name: string;
  stop(): Promise<void>;
  health?(): Health;
  /** Resolves when it has stopped. */
  readonly stopped: Promise<void>;
}

/** What the parts of a stream share. The client library is loaded when it is first needed. */
export class Connection {
  readonly settings: StreamSettings;
  readonly #tenants = new Set<Tenant>();
  readonly #over = new AbortController();
  readonly #errands = new Set<Promise<unknown>>();
  #opening: Promise<Opened> | undefined;
  #opened: Opened | undefined;
  #closed: Promise<void> | undefined;

  constructor(settings: StreamSettings) {
    this.settings = settings;
  }

  /** Undefined until it was opened. */
  get opened(): Opened | undefined {
    return this.#opened;
  }

  get isClosed(): boolean {
    return this.#over.signal.aborted;
  }

  /** Of publishing, where the last attempt has failed, and of those that can say how they are, by name. */
  health(): Record<string, Health> {
    const parts: Record<string, Health> = {};
    const trouble = this.#opened?.publisher.trouble ?? this.#opened?.layout.trouble;
    if (trouble) parts.publishing = { status: 'fail', detail: trouble.message };
    for (const tenant of this.#tenants) {
      const health = tenant.health?.();
      if (health) parts[freeName(tenant.name, parts)] = health;
    }
    return parts;
  }

  /** Aborts, with the reason, when the stream is stopped. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Aborts with whichever comes first: the end of the stream, or the caller's own signal. */
  until(signal: AbortSignal | undefined): AbortSignal {
    checkSignal('signal', signal);
    return signal ? AbortSignal.any([signal, this.over]) : this.over;
  }

  open(): Promise<Opened> {
    if (this.isClosed) return Promise.reject(this.#over.signal.reason);
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  /** It is stopped with the stream, unless it is before. */
  add(tenant: Tenant): void {
    this.#tenants.add(tenant);
    // It was started while the stream was being stopped.
    if (this.#closed) void tenant.stop();
    void tenant.stopped.then(() => this.#tenants.delete(tenant));
  }

  /** It is not closed before this has settled: what was published waits to know where it goes. */
  closeAfter<T>(errand: Promise<T>): Promise<T> {
    this.#errands.add(errand);
    const over = (): void => void this.#errands.delete(errand);
    errand.then(over, over);
    return errand;
  }

  /** Those that use it first: what they still publish is sent. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #open(): Promise<Opened> {
    const { driver: name, connection, publisher, tracing } = this.settings;
    const driver = await drivers[name](connection);
    const layout = new Layout(driver.admin, this.#over.signal);
    this.#opened = { driver, layout, publisher: new Publisher(driver, layout, publisher), tracing };
    return this.#opened;
  }

  async #close(): Promise<void> {
    await this.#opening?.catch(() => {});
    await Promise.all([...this.#tenants].map((tenant) => tenant.stop()));
    while (this.#errands.size > 0) await Promise.allSettled(this.#errands);
    await this.#opened?.publisher.close();
    this.#over.abort(new StreamClosedError('the stream'));
    await this.#opened?.driver.close();
  }
}

/** Two consumers of one topic and group have one name. */
function freeName(name: string, taken: Readonly<Record<string, unknown>>): string {
  let free = name;
  for (let number = 2; Object.hasOwn(taken, free); number += 1) free = `${name} (${number})`;
  return free;
}
