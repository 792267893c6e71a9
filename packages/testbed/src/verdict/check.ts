import { exclusive } from './exclusive.ts';
import { linearizable } from './linearizable.ts';
import { noLostUpdates } from './no-lost-updates.ts';
import { sessionOrder } from './session-order.ts';
import { tokensIncrease } from './tokens-increase.ts';

/** The questions that can be asked of a history. Each answers with a verdict and never throws one. */
export const check: {
  readonly linearizable: typeof linearizable;
  readonly exclusive: typeof exclusive;
  readonly tokensIncrease: typeof tokensIncrease;
  readonly noLostUpdates: typeof noLostUpdates;
  readonly sessionOrder: typeof sessionOrder;
} = { linearizable, exclusive, tokensIncrease, noLostUpdates, sessionOrder };
