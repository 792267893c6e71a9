import { backoff } from '@quorate/core';
import type { Asked } from '../refusal.ts';
import { neverSent } from './connections.ts';
import { failure, reasonOf } from './failure.ts';
import type { Broker } from './kafkajs-package.ts';
import { race } from './race.ts';
import { elsewhere } from './reasons.ts';

export interface Ask {
  readonly asked: Asked;
  /** For how long it is asked again. */
  readonly limit: AbortSignal;
  /** Whether it changes something, so that a lost answer leaves a doubt. Asking twice does no harm either way. */
  readonly writes?: boolean;
  /** Answers after which it is asked again, besides those of a broker that is not the one to ask. */
  readonly again?: readonly string[];
}

/** Whom to ask. */
export interface Whom {
  find(): Promise<Broker>;
  /** It was not the one to ask, or did not answer. */
  forget(): void;
}

/** Asks until there is an answer other than that it is to be asked again. */
export async function ask<T>(
  whom: Whom,
  { asked, limit, writes = false, again = [] }: Ask,
  request: (broker: Broker) => Promise<T>,
): Promise<T> {
  const delays = backoff({ min: 30, max: 500 });
  let last: unknown = new Error('no answer in time');
  let doubt = false;
  for (;;) {
    let asking = false;
    try {
      const broker = await race(whom.find(), limit);
      asking = true;
      return await race(request(broker), limit);
    } catch (error) {
      if (limit.aborted) throw failure(last, asked, { doubt: doubt || (asking && writes) });
      const reason = reasonOf(error);
      if (reason === undefined && asking && !neverSent(error)) doubt ||= writes;
      const given = failure(error, asked, { doubt: doubt && reason !== undefined, writes });
      const transient =
        reason === undefined ? given.code === 'kafka-unreachable' : elsewhere(reason) || again.includes(reason);
      if (!transient) throw given;
      last = error;
      if (reason === undefined || elsewhere(reason)) whom.forget();
    }
    try {
      await delays.wait({ signal: limit });
    } catch {
      throw failure(last, asked, { doubt });
    }
  }
}
