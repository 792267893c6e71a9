import { join } from 'node:path';
import {
  check,
  counter,
  eventually,
  type Fault,
  faultSchedule,
  History,
  type PrepareFault,
  playFaults,
  Testbed,
  verdictText,
} from '@quorate/testbed';
import { connect } from '@quorate/zookeeper';
import { expect, test } from 'vitest';
import { Crew } from './storm/crew.ts';
import { stormBed } from './storm/ground.ts';

const minutes = Number(process.env.QUORATE_MINUTES ?? 10);
const seed = Number(process.env.QUORATE_SEED ?? Math.trunc(Math.random() * 2 ** 31));
const sessionTimeout = 1_500;
const members = ['zookeeper-1', 'zookeeper-2', 'zookeeper-3'];
const leaders = ['leader-1', 'leader-2', 'leader-3'];

test(
  `leaders over sessions: ${minutes} minutes of faults, and nobody leads beside another or gives up; seed ${seed}`,
  async () => {
    await using bed = await Testbed.start(stormBed);
    const url = bed.zookeeper.url;
    await using setting = await connect(url);
    await setting.create('/led', '0');
    await setting.close();
    const crew = new Crew(join(bed.folder, 'compiled'));
    const history = new History();
    try {
      for (const name of leaders) {
        const addresses = members.map((member) => bed.link(name, member).address);
        await crew.start(
          { name, url: (await Promise.all(addresses)).join(','), seed: `${seed} ${name}`, sessionTimeout },
          'leader.ts',
        );
      }
      const schedule = faultSchedule(seed, {
        length: minutes * 60_000,
        faults: [
          { kind: 'pause', targets: leaders, weight: 3 },
          { kind: 'silence', targets: leaders, weight: 3 },
          {
            kind: 'reset',
            targets: leaders.flatMap((leader) => members.map((member) => `${leader}~${member}`)),
            weight: 4,
          },
          { kind: 'kill', targets: members, weight: 2 },
          { kind: 'pause', targets: members },
          { kind: 'isolate', targets: members },
          { kind: 'restart', targets: ['ensemble'], weight: 2 },
        ],
        pause: [100, 3_000],
        duration: [300, 5_000],
        together: 2,
      });
      const onLeader = (name: string, ends: Pick<Fault, 'begin' | 'end'>): Fault => ({
        target: [name],
        servers: [],
        ...ends,
      });
      const faults: Record<string, PrepareFault> = {
        pause: async (_, { target: [name = ''] }) => {
          if (leaders.includes(name)) {
            return onLeader(name, { begin: () => crew.stop(name), end: async () => crew.wake(name) });
          }
          const server = bed.server(name);
          return { target: [name], servers: [server], begin: () => server.pause(), end: () => server.resume() };
        },
        silence: async (_, { target: [name = ''] }) => {
          const links = members.map((member) => bed.link(name, member));
          const set = async (faults: { blackHole?: true }): Promise<void> => {
            await Promise.all(links.map((link) => link.set(faults)));
          };
          return { ...onLeader(name, { begin: () => set({ blackHole: true }), end: () => set({}) }), links };
        },
        restart: async () => {
          const servers = members.map((member) => bed.server(member));
          const all = async (what: 'kill' | 'start'): Promise<void> => {
            await Promise.all(servers.map((server) => server[what]()));
          };
          return { target: ['ensemble'], servers, begin: () => all('kill'), end: () => all('start') };
        },
      };
      await playFaults(schedule, bed, history, { faults });

      // Everything is well again: somebody leads, or is between two terms.
      const held = (): number => History.merge(...crew.histories()).events.filter(({ type }) => type === 'held').length;
      const before = held();
      await eventually('a new term', () => held() > before, { within: sessionTimeout + 25_000, every: 100 });
      expect(leaders.filter((name) => crew.hasEnded(name))).toEqual([]);
      const all = History.merge(history, ...(await crew.finish(20_000)));
      const said = all.events.filter((event) => event.type === 'note').map(({ label }) => label);
      expect(said.filter((label) => label === 'has stopped')).toHaveLength(leaders.length);
      expect(said).not.toContain('has given up');

      await using zk = await connect(url);
      await all.run('probe', 'read', { key: 'led' }, async () => Number((await zk.get('/led')).data));
      const events = (type: string): number => all.events.filter((event) => event.type === type).length;
      console.log(
        `${events('fault')} faults, ${events('held')} terms, ${all.operations.filter(({ outcome }) => outcome === 'ok').length} guarded updates`,
      );
      expect(events('fault')).toBeGreaterThan(minutes * 5);
      expect(events('held')).toBeGreaterThan(minutes * 5);
      for (const verdict of [
        check.exclusive(all, { grace: 1_000 }),
        check.tokensIncrease(all),
        check.noLostUpdates(all),
        check.linearizable(all, counter()),
      ]) {
        expect(verdict.result, `seed ${seed}: ${verdictText(verdict)}`).toBe('valid');
      }
    } finally {
      crew.kill();
    }
  },
  (minutes + 3) * 60_000,
);
