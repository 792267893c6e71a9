import { untilAborted } from '@quorate/core';
import { ConnectionLostError } from '../errors/connection-lost-error.ts';
import type { Operation } from '../protocol/operation.ts';
import type { Pipeline } from './pipeline.ts';
import type { RequestOptions } from './request.ts';
import type { ServerVersion } from './server-version.ts';

/** The server that takes our requests, now or next, for those that not every server knows. */
export class Serving {
  readonly #pipeline: Pipeline;
  #version: ServerVersion | undefined;
  /** Resolves when any of this changes. */
  #change = Promise.withResolvers<void>();
  /** Why nothing is sent any more. */
  #refusal: Error | undefined;

  constructor(pipeline: Pipeline) {
    this.#pipeline = pipeline;
  }

  /** There is a connection that is ready for requests. */
  begin(version: ServerVersion): void {
    this.#version = version;
    this.#changed();
  }

  /** The connection is gone; another one may come. */
  suspend(): void {
    this.#version = undefined;
    this.#changed();
  }

  /** Nothing more is to be sent. */
  end(refusal: Error): void {
    this.#refusal ??= refusal;
    this.#changed();
  }

  /**
   * Sends what only reads to a server that knows it; rejects with an UnsupportedError, before anything is sent, when the
   * server does not. When the connection ends it does not follow the session as other reads do: the next server may be an
   * older one, and is asked first.
   */
  async request<T>(operation: Operation<T>, options: RequestOptions<T>): Promise<T> {
    const { signal } = options;
    for (;;) {
      if (this.#refusal) throw this.#refusal;
      const version = this.#version;
      const change = this.#change.promise;
      if (!version) await untilAborted(change, signal);
      else if (!version.isAsked) await untilAborted(Promise.race([version.learn(), change]), signal);
      else {
        const refusal = version.refusal(operation);
        if (refusal) throw refusal;
        try {
          return await this.#pipeline.submit(operation, { ...options, transient: true });
        } catch (error) {
          if (!(error instanceof ConnectionLostError)) throw error;
        }
      }
    }
  }

  #changed(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers<void>();
  }
}
