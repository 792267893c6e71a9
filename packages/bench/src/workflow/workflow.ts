import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Testbed } from '@quorate/testbed';
import type { Benchmark } from '../benchmark.ts';
import { inTurn, Peer } from '../peer.ts';
import { SideBySide } from '../side-by-side.ts';
import type { Answer, Task } from './tasks.ts';

const folder = fileURLToPath(new URL('peers/', import.meta.url));
const ours = 'quorate';
const bare = 'the bare library';
const programs: Readonly<Record<string, string>> = { [ours]: 'quorate.ts', [bare]: 'temporal.ts' };

/** A client and a worker, in a process of their own. */
function start(name: string, address: string, queue: string): Promise<Peer<Task, Required<Answer>>> {
  const args = ['--conditions=@quorate/source', '--no-warnings', join(folder, programs[name] ?? '')];
  const env = { NODE_ENV: 'production', QUORATE_TEMPORAL: address, QUORATE_QUEUE: `bench-${queue}` };
  return Peer.start(name, { command: process.execPath, args, env });
}

/** Our workflows beside those of the bare library, at one server. They take turns within each round, in an order that changes. */
export const workflow: Benchmark = {
  name: 'workflow',
  what: 'workflows and their steps, workers and their deaths, compared with the bare library',
  rounds: 3,
  measure: async (rounds, { quick }) => {
    await using bed = await Testbed.start({ temporal: true });
    const { address } = bed.temporal;
    const sides = new SideBySide();
    await using stack = new AsyncDisposableStack();
    const peers: Peer<Task, Required<Answer>>[] = [];
    for (const name of Object.keys(programs)) peers.push(stack.use(await start(name, address, `${peers.length}`)));
    const count = quick ? 20 : 300;
    // Until what is compiled is compiled; each gets the same.
    for (const peer of peers) await peer.perform({ task: 'flow', callers: 8, steps: 3, count });
    for (let round = 0; round < rounds; round += 1) {
      for (const peer of inTurn(peers, round)) {
        const { name } = peer;
        const many = await peer.perform({ task: 'flow', callers: 16, steps: 3, count });
        sides.add('16 callers, workflows of 3 steps, rate', name, '/s', count / many.seconds);
        sides.add('16 callers, workflows of 3 steps, processor time of each', name, 'µs', many.cpuMicroseconds / count);
        sides.add('a process with its worker, resident', name, 'MB', many.megabytes);
        const steps = 10;
        const one = await peer.perform({ task: 'flow', callers: 1, steps, count: Math.ceil(count / 5) });
        sides.add('1 caller, a step, p50', name, 'ms', one.p50 / steps);
        sides.add('1 caller, a step, p99', name, 'ms', one.p99 / steps);
        sides.add('1 caller, from the start to the first activity, p50', name, 'ms', one.first);
        const worker = await peer.perform({ task: 'worker' });
        sides.add('a worker more, from a bundle', name, 's', worker.seconds);
        sides.add(
          'a worker is killed, until another one does the next step',
          name,
          's',
          await recovery(name, address, round),
        );
      }
      console.error(`round ${round + 1} of ${rounds}`);
    }
    for (const [figure, aim] of Object.entries(aims)) sides.ratio(figure, ours, bare, aim);
    return sides.all('', {});
  },
};

const aims = {
  '16 callers, workflows of 3 steps, rate': { aim: 0.95, more: true },
  '16 callers, workflows of 3 steps, processor time of each': { aim: 1.05 },
  '1 caller, a step, p50': { aim: 1.05 },
  '1 caller, from the start to the first activity, p50': { aim: 1.05 },
  'a process with its worker, resident': { aim: 1.05 },
} as const;

/** In seconds: of two workers of one queue that which has the workflow in its memory is killed. */
async function recovery(name: string, address: string, round: number): Promise<number> {
  const queue = `recovery-${name.replaceAll(' ', '-')}-${round}`;
  const first = await start(name, address, queue);
  await first.perform({ task: 'begin', id: queue });
  await first.perform({ task: 'next' });
  await using second = await start(name, address, queue);
  const killed = Date.now();
  await first.kill();
  const { at } = await second.perform({ task: 'next' });
  return (at - killed) / 1_000;
}
