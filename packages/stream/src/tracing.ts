import { around } from '@quorate/core';
import type { TopicPartition } from './driver/record.ts';

/** A message that is about to be sent. */
export interface Sending {
  readonly topic: string;
  readonly id: string;
  readonly key: string | undefined;
  readonly bytes: number;
}

/** A message that is about to be handled. */
export interface Handling extends TopicPartition {
  readonly group: string;
  readonly offset: bigint;
  readonly id: string | undefined;
  readonly attempt: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** What goes around sending and handling, so that both are seen as parts of one whole. That of OpenTelemetry is made by `@quorate/stream/opentelemetry`. */
export interface Tracing {
  /** `add` adds a header to the message; it is of use before `work` is called. */
  send<T extends { readonly partition: number; readonly offset: bigint }>(
    message: Sending,
    add: (name: string, text: string) => void,
    work: () => Promise<T>,
  ): Promise<T>;
  /** Of a message that is sent later, with a transaction or by the relay of an outbox: `work` puts it there. */
  create?<T>(message: Sending, add: (name: string, text: string) => void, work: () => Promise<T>): Promise<T>;
  handle<T>(message: Handling, work: () => Promise<T>): Promise<T>;
}

/** The same, whatever goes wrong in it: the work is done all the same, once, and what comes of it is what counts. */
export function harmless(tracing: Tracing): Required<Tracing> {
  return {
    send: (message, add, work) => around((once) => tracing.send(message, add, once), work),
    create: (message, add, work) =>
      around((once) => (tracing.create ? tracing.create(message, add, once) : once()), work),
    handle: (message, work) => around((once) => tracing.handle(message, once), work),
  };
}
