import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import type { Assigned, GroupReader } from '../../src/driver/group-reader.ts';
import { commitOffsets } from '../../src/driver/platformatic/offsets.ts';
import { endless, failure, Heard, Stage, unique } from './stage.ts';

const test = bedTest({ kafka: 1 });

const options = { from: 'earliest', sessionTimeout: 6_000, handOver: 500, signal: endless } as const;

class Member extends Heard {
  held: readonly Assigned[] = [];
  reader: GroupReader | undefined;
  revoked: () => Promise<void> = async () => {};

  static async join(stage: Stage, group: string, topic: string): Promise<Member> {
    const member = new Member();
    const driver = await stage.driver();
    member.reader = await driver.readGroup(
      { ...options, group, topics: [topic] },
      {
        ...member.events,
        assigned: (partitions) => {
          member.held = partitions;
        },
        revoked: () => member.revoked(),
        lost: () => {
          member.held = [];
        },
        confirmed: () => {},
      },
    );
    return member;
  }
}

test('a commit of an earlier generation is refused, and nobody repeats it under a later one', async ({ bed }) => {
  await using stage = new Stage(bed.kafka.brokers);
  const topic = await stage.topic(2);
  const group = unique('g');
  const first = await Member.join(stage, group, topic);
  await eventually('it has both', () => first.held.length === 2);
  await first.reader?.commit([{ topic, partition: 0, offset: 4n }]);
  // It never hands over, and keeps what it has in mind.
  first.revoked = () => new Promise(() => {});
  const second = await Member.join(stage, group, topic);
  await eventually('the second has one', () => second.held.length === 1);
  for (const partition of [0, 1]) {
    const late = await failure(async () => first.reader?.commit([{ topic, partition, offset: 1n }]));
    expect(late).toMatchObject({ code: 'not-a-member', happened: 'no', group });
  }
  // Neither does the broker take it.
  const cluster = stage.cluster();
  const asking = { what: 'commit', signal: endless };
  const coordinator = await cluster.coordinator('group', group, asking, asking);
  const { admin } = await stage.driver();
  const [{ id: member = '' } = {}] = (await admin.describeGroup(group, endless)).members;
  const old = { group, generation: 1, member };
  const offsets = [{ topic, partition: 0, offset: 2n }];
  const refused = await failure(() => commitOffsets(cluster, coordinator, old, offsets, asking));
  expect(refused).toMatchObject({ code: 'not-a-member', happened: 'no' });
  expect(await admin.committed(group, [topic], endless)).toEqual([{ topic, partition: 0, offset: 4n }]);
});
