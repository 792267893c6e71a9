import { eventually } from '@quorate/testbed';
import { expect } from 'vitest';
import { Cluster } from '../../src/driver/engine/cluster.ts';
import { Connections } from '../../src/driver/engine/connections.ts';
import { commitOffsets } from '../../src/driver/engine/offsets.ts';
import { contractTest as test } from '../driver/contract.ts';
import { drivers } from '../driver/drivers.ts';
import { eachDriver } from '../driver/each-driver.ts';
import type { Member } from '../driver/member.ts';
import { batch, defaultSettings, endless, failure, offsetsOf, Stage, series, unique } from '../driver/stage.ts';
import { wiresOf } from './counted.ts';

/** Part of the contract of the drivers. */
export function commitsAsMember(): void {
  eachDriver(drivers, 'is a member of a group', (name, open) => {
    test('of which a commit of an earlier generation is refused, and not repeated under a later one', async ({
      bed,
    }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 2 });
      const group = unique('g');
      // It never hands over, and keeps what it has in mind.
      const revoked = (): Promise<void> => new Promise(() => {});
      const first = await stage.member({ group, topics: [topic], handOver: 500, revoked });
      await eventually('it has both', () => first.held.length === 2);
      await first.commit(4n);
      const second = await stage.member({ group, topics: [topic], handOver: 500 });
      await eventually('the second has one', () => second.held.length === 1);
      const another = second.partitions[0] ?? -1;
      const late = await failure(() => first.commit(1n, another));
      expect(late).toMatchObject({ code: 'not-a-member', happened: 'no', group });
      // Neither does the broker take it.
      const settings = { ...defaultSettings, brokers: bed.kafka.brokers };
      const connections = new Connections(wiresOf[name], settings);
      const cluster = new Cluster(connections, settings);
      const asking = { what: 'commit', signal: endless };
      const coordinator = await cluster.coordinator('group', group, asking, asking);
      const { admin } = await stage.driver();
      const [{ id: member = '' } = {}] = (await admin.describeGroup(group, endless)).members;
      const old = { group, generation: 1, member };
      const offsets = [{ topic, partition: 0, offset: 2n }];
      const refused = await failure(() => commitOffsets(cluster, coordinator, old, offsets, asking));
      expect(refused).toMatchObject({ code: 'not-a-member', happened: 'no' });
      connections.close();
      expect(await admin.committed(group, [topic], endless)).toEqual([{ topic, partition: 0, offset: 4n }]);
    });

    test('and begins a topic that was deleted and made again from its beginning, whatever it had done of the old one', async ({
      bed,
    }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      await stage.witness.produce(topic, 0, series('old', 5));
      const group = unique('g');
      const driver = await stage.driver();
      let handedOver: bigint | 'not yet' | undefined = 'not yet';
      const revoked = async (who: Member): Promise<void> => {
        await who.commit(5n);
        handedOver = await stage.witness.committed(group, topic);
      };
      const member = await stage.member({ group, topics: [topic], revoked }, driver);
      await eventually('it reads', () => member.values().length === 5);
      const { as } = member;
      // It learns of it late.
      member.reader.pause({ topic, partition: 0 });
      await driver.admin.deleteTopic(topic, endless);
      const shape = { partitions: 1, replication: 1, settings: { 'retention.ms': '-1' } };
      await eventually('it is made again', () => driver.admin.createTopic(topic, shape, endless));
      const appender = await driver.appender({ signal: endless });
      offsetsOf(await appender.append([batch(topic, 0, series('new', 8))]));
      const transactor = await stage.transactor(unique('id'));
      await transactor.begin();
      const offsets = [{ topic, partition: 0, offset: 4n }];
      const refused = await failure(() => transactor.sendOffsets(group, offsets, as));
      expect(refused).toMatchObject({ code: 'not-a-member', happened: 'no', group });
      await transactor.abort();
      member.reader.resume({ topic, partition: 0 });
      await eventually('it has read it', () => member.values().includes('new-7'));
      expect(member.values()).toEqual([...series('old', 5), ...series('new', 8)]);
      expect([handedOver, member.revocations]).toEqual([undefined, 1]);
      await member.commit(8n);
      expect(await stage.witness.committed(group, topic)).toBe(8n);
    });

    test('that says so when its topic is gone, and when it is there again', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const [topic, other] = [await stage.topic(), await stage.topic()];
      const { admin } = await stage.driver();
      const group = unique('g');
      const member = await stage.member({ group, topics: [topic] });
      await eventually('it has the partition', () => member.held.length === 1);
      await admin.deleteTopic(topic, endless);
      // When somebody comes or goes the partitions are shared out: there are none of the topic.
      const second = await stage.member({ group, topics: [other] });
      await eventually('it has none', () => member.held.length === 0);
      const told = member.troubles.length;
      await eventually('it says so', () =>
        member.troubles.slice(told).some((error) => error?.code === 'unknown-topic'),
      );
      await admin.createTopic(topic, { partitions: 1, replication: 1, settings: {} }, endless);
      await second.stop();
      await eventually('all is well', () => member.held.length === 1 && member.troubles.at(-1) === undefined);
    });

    test('which begins after the offsets that a transaction commits just now, when it is over', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      await stage.witness.produce(topic, 0, ['1', '2', '3']);
      const transactor = await stage.transactor(unique('id'));
      const { admin } = await stage.driver();
      // The first has nothing committed before, which a broker does not name among all that there are.
      for (const [before, offset, end] of [
        [undefined, 2n, 'commit'],
        [2n, 3n, 'abort'],
        [undefined, 3n, 'abort'],
      ] as const) {
        const group = unique('g');
        if (before) await admin.commit(group, [{ topic, partition: 0, offset: before }], endless);
        await transactor.begin();
        await transactor.sendOffsets(group, [{ topic, partition: 0, offset }]);
        let begun = false;
        const joining = stage.member({ group, topics: [topic] }).then((member) => {
          begun = true;
          return member;
        });
        await eventually('it has joined', async () => (await admin.describeGroup(group, endless)).members.length === 1);
        // It has asked where to begin by the time in which it could have joined once more.
        await (await stage.member({ group: unique('g'), topics: [topic] })).stop();
        expect(begun).toBe(false);
        await transactor[end]();
        const member = await joining;
        await eventually('it begins', () => member.held.length === 1);
        const expected = end === 'commit' ? offset : (before ?? 0n);
        expect(member.held).toEqual([{ topic, partition: 0, offset: expected, missed: 0n }]);
        await member.stop();
      }
    });
  });
}
