import { concurrency } from './concurrency/concurrency.ts';
import { consensus } from './consensus/consensus.ts';
import type { Demo } from './demo.ts';

export type { Demo, Outcome, Row, Stage } from './demo.ts';

/** Every demo, in the order in which they are best seen. */
export const demos: readonly Demo[] = [consensus, concurrency];
