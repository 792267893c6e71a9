import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually } from '@quorate/testbed';
import { expect } from 'vitest';
import { clientOf, contractTest as test } from './contract.ts';
import type { Drivers } from './drivers.ts';
import { eachDriver } from './each-driver.ts';
import { batch, endless, offsetsOf, Stage, unique, within } from './stage.ts';

const program = fileURLToPath(new URL('whole-life.ts', import.meta.url));

const lives = [
  ['whose readers and writers were stopped', 'stopped'],
  ['whose readers and writers were left open', 'open'],
  ['to which nobody answers', 'silent'],
] as const;

/** Part of the contract of the drivers. */
export function leavesNothing(which: Drivers): void {
  eachDriver(which, 'leaves nothing when it is closed:', (name, open) => {
    const client = clientOf('leaving', name);

    test.for(lives)('it is one %s, and its program ends by itself, having said nothing', async ([, how], { bed }) => {
      const link = bed.link(client, 'kafka-1');
      const args = ['--conditions=@quorate/source', program, name, how, ...bed.kafka.brokersFor(client)];
      const child = await bed.launch(process.execPath, args);
      const ended = once(child, 'exit');
      let errors = '';
      child.stderr?.on('data', (bytes) => {
        errors += bytes;
      });
      const said: Record<string, unknown>[] = [];
      const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
      lines.on('line', (line) => said.push(JSON.parse(line)));
      try {
        await eventually('it has lived', () => said.length > 0 || child.exitCode !== null, { within: 20_000 });
        if (how === 'silent') {
          await link.set({ blackHole: true });
          child.kill('SIGUSR2');
          await eventually('it is closed', () => said.length > 1 || child.exitCode !== null, { within: 10_000 });
        }
        expect(errors).toBe('');
        const { took, ...left } = said.at(-1) ?? {};
        expect(left).toEqual({ left: [], listeners: 0, signal: 0, complaints: [] });
        expect(took).toBeLessThan(5_000);
        expect((await within(1_500, 'it ends', ended))[0]).toBe(0);
        expect(errors).toBe('');
      } finally {
        child.kill('SIGKILL');
        await link.heal();
      }
      await eventually('no connection is left', () => link.connections === 0, { within: 5_000 });
    });

    test('no connection, and no member of a group, of readers and writers that came and went', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const link = bed.link(client, 'kafka-1');
      const driver = await stage.driver({ brokers: bed.kafka.brokersFor(client) });
      const group = unique('g');
      const counts: number[] = [];
      for (let round = 0; round < 8; round += 1) {
        const appender = await driver.appender({ signal: endless });
        offsetsOf(await appender.append([batch(topic, 0, ['x'])]));
        await appender.close();
        const member = await stage.member({ group, topics: [topic] }, driver);
        const follower = await stage.follower({ topic, from: new Map([[0, 0n]]) }, driver);
        await eventually('both read', () => member.held.length === 1 && follower.values().length === round + 1);
        await Promise.all([member.stop(), follower.stop()]);
        counts.push(link.connections);
      }
      // Each closes what it has opened.
      await eventually('as few as after the first', () => link.connections <= (counts[0] ?? 0) + 1);
      await within(5_000, 'it closes', driver.close());
      await eventually('none', () => link.connections === 0, { within: 3_000 });
      expect(await stage.witness.members(group)).toBe(0);
    });
  });
}
