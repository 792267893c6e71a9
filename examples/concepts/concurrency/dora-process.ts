// A program of its own, so that it can be stopped while the others go on: dora, a clerk like the others. The round is told
// by the arguments, and its history goes to standard output, line by line.
import { writeSync } from 'node:fs';
import { History, seeded } from '@quorate/testbed';
import { Clerk, type Rules } from './clerk.ts';

const { rules, seed, ...where } = JSON.parse(process.argv[2] ?? '{}') as {
  readonly rules: Rules;
  readonly seed: number;
  readonly zookeeper: string;
  readonly sessionTimeout: number;
  readonly till: string;
};
const history = new History({ write: (line) => writeSync(1, line) });
let reads = 0;

/** At the worst moment, and only once, the machine stops us, as it does for a long garbage collection or a busy host. */
function standStill(number: number): void {
  reads += 1;
  if (reads !== 2) return;
  history.note('stops', number);
  // Nothing of this process runs between this line and the SIGCONT of the one that started it. It will not know.
  process.kill(process.pid, 'SIGSTOP');
}

await using dora = new Clerk({
  ...where,
  name: 'dora',
  rules,
  history,
  chance: seeded(seed).fork('dora'),
  inBetween: standStill,
});
await dora.add(3);
