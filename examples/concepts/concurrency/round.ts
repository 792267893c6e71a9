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
  /** What the table calls it. */
  readonly name: string;
  readonly rules: Rules;
  /** Whether dora comes too, and is stopped in the middle of an add. */
  readonly paused: boolean;
}

/** What a round came to. */
export interface Round {
  readonly history: History;
  readonly row: Row;
  readonly verdict: Verdict;
}

const clerks = ['ann', 'ben', 'cleo'];

/** Dora's is short, so that nobody has to wait long for what is to be seen. In milliseconds. */
const sessionTimeout = 4_000;
const dorasSessionTimeout = 1_000;

/** All clerks add to one counter at the same time; then somebody reads what it came to. */
export async function playRound({ stage, bed, till, name, rules, paused }: RoundOptions): Promise<Round> {
  const { seed, signal, fast, tell } = stage;
  const history = new History();
  const times = fast ? 6 : 25;
  const where = { zookeeper: bed.zookeeper.url, till: till.url, rules };
  const work = async (): Promise<void> => {
    await Promise.all(
      clerks.map(async (name) => {
        const chance = seeded(seed).fork(`${rules.counter} ${name}`);
        await using clerk = new Clerk({ ...where, sessionTimeout, name, history, chance, signal });
        await clerk.add(times);
      }),
    );
    tell(clerks.join(', '), `have each added 1, ${times} times`);
  };
  const others = paused ? await aroundAPause() : [];
  if (!paused) await work();

  async function aroundAPause(): Promise<History[]> {
    const dora = await Dora.start(bed, { ...where, sessionTimeout: dorasSessionTimeout, seed });
    const number = await abortable(dora.stopped, signal);
    const pause = history.fault('pause', 'dora');
    tell('dora', `holds the lock, has read ${number}, is about to write ${number + 1} …`);
    tell(
      'dora',
      `… and her process is stopped (SIGSTOP). ZooKeeper waits ${dorasSessionTimeout} ms for her, then no longer`,
    );
    await work();
    pause.end();
    dora.resume();
    tell('dora', `wakes up (SIGCONT). For her no time has passed: she writes ${number + 1}`);
    return [await abortable(dora.history(), signal)];
  }

  const counter = new Counter(till.url, rules.counter);
  const number = await history.run('auditor', 'read', { key: rules.counter }, () => counter.read(signal));
  const all = History.merge(history, ...others);
  const adds = all.operations.filter(({ op }) => op === 'add');
  const acknowledged = adds.filter(({ outcome }) => outcome === 'ok').length;
  const refused = adds.filter(({ outcome }) => outcome === 'failed').length;
  if (paused && rules.fenced && refused > 0)
    tell('the till', 'refuses: it has seen a larger token. She begins anew, with a new lease');
  else if (paused) tell('the till', 'takes it: nothing tells it that she comes too late');
  tell('the counter', `says ${number} after ${acknowledged} adds: ${acknowledged - number} lost`);
  return {
    history: all,
    row: { counter: name, acknowledged, refused, 'the counter says': number, lost: acknowledged - number },
    verdict: check.noLostUpdates(all),
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
