import { setTimeout as after } from 'node:timers/promises';
import type { Figure } from '../benchmark.ts';
import { type Contestant, start } from './contestants.ts';
import type { Answer } from './tasks.ts';

const processes = 4;
const callers = 250;

/** A thousand callers in four processes at once: for a key that nobody has, for one that has ended, and for a stale one. */
export async function stampedes(
  name: string,
  url: string,
  note: (name: string, unit: Figure['unit'], value: number) => void,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const all: Contestant[] = [];
  for (let i = 0; i < processes; i += 1) all.push(stack.use(await start(name, url)));
  const key = `stampede ${name} ${performance.now()}`;
  const together = async (what: string, ttl: number, stale = false): Promise<void> => {
    const answers = await Promise.all(
      all.map((peer) => peer.perform({ task: 'stampede', key: `${key} ${stale}`, callers, ttl, stale })),
    );
    if (what === '') return;
    const of = (read: (answer: Required<Answer>) => number): number[] =>
      answers.map((answer) => read(answer as Required<Answer>));
    const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
    const tell = (figure: string, unit: Figure['unit'], value: number): void =>
      note(`stampede of 1,000 callers ${what}, ${figure}: ${name}`, unit, value);
    tell('calls of the origin', '×', sum(of(({ loads }) => loads)));
    tell('different values', '×', new Set(answers.flatMap(({ values = [] }) => values)).size);
    tell('longest wait', 'ms', Math.max(...of(({ most }) => most)) / 1000);
    tell('p99', 'ms', Math.max(...of(({ p99 }) => p99)) / 1000);
    const errors = sum(of((answer) => answer.errors));
    if (errors > 0) tell('callers who got an error', '×', errors);
  };
  const life = 1_000;
  await together('for a cold key', life);
  await after(life + 200);
  await together('for a key that has ended', life);
  // Those without stale values wait for the load here too: that is what is compared.
  await together('', life, true);
  await after(life + 200);
  await together('for a stale key', life, true);
}
