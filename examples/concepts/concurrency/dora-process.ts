// Dora, a clerk like the others, in a process of her own, so that she can be stopped while the others go on. The argument
// says which round it is; her history goes to standard output, line by line.
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

/** Once, at the worst moment, this process is stopped, as by a long garbage collection or a busy host. */
function standStill(number: number): void {
  reads += 1;
  if (reads !== 2) return;
  history.note('stops', number);
  // Nothing of this process runs between this line and the SIGCONT of the process that started it.
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
