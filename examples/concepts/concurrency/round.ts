import { type BedOf, check, History, seeded, type Verdict } from '@quorate/testbed';
import type { Row, Stage } from '../demo.ts';
import { Clerk, type Rules } from './clerk.ts';
import { Counter } from './counter.ts';
import { Dora } from './dora.ts';
import type { Till } from './till.ts';

export interface RoundOptions {
  readonly stage: Stage;
  readonly bed: BedOf<{ zookeeper: 1 }>;
  readonly till: Till;
  /** Its name in the table. */
  readonly name: string;
  readonly rules: Rules;
  /** Dora takes part too, is stopped between her read and her write, and wakes up then. Without it she is not there. */
  readonly doraWakes?: 'when the others are done' | 'between the read and the write of the next holder';
}

/** What came of a round. */
export interface Round {
  readonly history: History;
  readonly row: Row;
  readonly verdict: Verdict;
}

const clerks = ['ann', 'ben', 'cleo'];

/** In milliseconds. Dora's is short, so that the others need not wait long for her lock. */
const sessionTimeout = 4_000;
const dorasSessionTimeout = 1_000;

/** All clerks add to one counter at the same time; then somebody reads it. */
export async function playRound({ stage, bed, till, name, rules, doraWakes }: RoundOptions): Promise<Round> {
  const { seed, signal, fast, tell } = stage;
  const history = new History();
  const times = fast ? 6 : 25;
  const where = { zookeeper: bed.zookeeper.url, till: till.url, rules };

  const work = async (inBetween?: (name: string, number: number) => Promise<void>): Promise<void> => {
    await Promise.all(
      clerks.map(async (name) => {
        const chance = seeded(seed).fork(`${rules.counter} ${name}`);
        await using clerk = new Clerk({
          ...where,
          sessionTimeout,
          name,
          history,
          chance,
          signal,
          ...(inBetween && { inBetween: (number) => inBetween(name, number) }),
        });
        await clerk.add(times);
      }),
    );
    tell(clerks.join(', '), `have each added 1, ${times} times`);
  };

  /** Dora holds the lock and is stopped. What she has in mind to write depends on what she has read. */
  const withDora = async (): Promise<History> => {
    const dora = await Dora.start(bed, { ...where, sessionTimeout: dorasSessionTimeout, seed });
    const number = await abortable(dora.stopped(), signal);
    const pause = history.fault('pause', 'dora');
    tell('dora', `holds the lock, has read ${number}, is about to write ${number + 1} …`);
    tell(
      'dora',
      `… and her process is stopped (SIGSTOP). ZooKeeper gives up her session after ${dorasSessionTimeout} ms`,
    );
    const wake = async (): Promise<void> => {
      tell('dora', `wakes up (SIGCONT). For her no time has passed: she writes ${number + 1}`);
      pause.end();
      const answer = await abortable(dora.resume(), signal);
      tell('the till', answers[answer]);
    };
    if (doraWakes === 'when the others are done') {
      await work();
      await wake();
    } else {
      let asleep = true;
      await work(async (name, read) => {
        if (!asleep) return;
        asleep = false;
        tell(name, `holds the lock now, has read ${read}, is about to write ${read + 1} …`);
        await wake();
        tell(name, `… writes ${read + 1}`);
      });
    }
    return abortable(dora.history(), signal);
  };

  const others: History[] = [];
  if (doraWakes) others.push(await withDora());
  // Nothing is left to luck: nobody writes for the first time before all three have read.
  else await work(rules.locked ? undefined : meeting(clerks.length, signal));

  const counter = new Counter(till.url, rules.counter);
  const read = (): Promise<number> => counter.read(undefined, signal);
  const number = await history.run('auditor', 'read', { key: rules.counter }, read);
  const all = History.merge(history, ...others);
  const adds = all.operations.filter(({ op }) => op === 'add');
  const acknowledged = adds.filter(({ outcome }) => outcome === 'ok').length;
  const refused = adds.filter(({ outcome }) => outcome === 'failed').length;
  const lost = acknowledged - number;
  tell('the counter', `says ${number} after ${acknowledged} adds: ${lost} lost`);
  const increase = { valid: 'yes', invalid: 'no', unknown: 'unknown' }[check.tokensIncrease(all).result];
  return {
    history: all,
    row: {
      counter: name,
      acknowledged,
      refused,
      'the counter says': number,
      lost,
      'tokens increase': rules.token === 'never' ? '–' : increase,
    },
    verdict: check.noLostUpdates(all),
  };
}

const answers = {
  accepted: 'accepts it: nothing tells it that she is too late',
  refused: 'refuses: it has seen a larger token. She begins again, with a new lease',
};

/** Holds back everybody who comes until so many have come; from then on nobody. */
function meeting(size: number, signal: AbortSignal): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let missing = size;
  return async () => {
    missing -= 1;
    if (missing === 0) resolve();
    await abortable(promise, signal);
  };
}

/** Ctrl-C need not wait for a process that stands still. */
function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const aborted = (): void => reject(signal.reason);
  signal.addEventListener('abort', aborted, { once: true });
  if (signal.aborted) aborted();
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', aborted));
}
