import type { DriverName } from '../../src/driver/driver.ts';
import { drivers } from './drivers.ts';
import { Member } from './member.ts';
import { defaultSettings } from './stage.ts';

/** A member in a process of its own, which commits how far it has read all the time, and says what becomes of it. */
const [which, broker = '', group = '', topic = '', sessionTimeout] = process.argv.slice(2);

const say = (message: object): void => void process.stdout.write(`${JSON.stringify(message)}\n`);

const open = drivers.find(([name]) => name === (which as DriverName))?.[1];
if (!open) throw new Error(`no driver ${which}`);
const driver = await open({ ...defaultSettings, brokers: [broker] });
const member = await Member.join(driver, {
  group,
  topics: [topic],
  sessionTimeout: Number(sessionTimeout),
  handOver: 250,
});

let [assignments, losses] = [0, 0];
for (;;) {
  if (member.assignments > assignments) say({ told: 'assigned', partitions: member.partitions });
  if (member.lostFor.length > losses) say({ told: 'lost' });
  [assignments, losses] = [member.assignments, member.lostFor.length];
  for (const { partition } of member.held) {
    const offset = member.course(partition).next;
    await member.commit(offset, partition).then(
      () => say({ committed: Number(offset) }),
      (error) => say({ refused: error.code, happened: error.happened }),
    );
  }
  await new Promise((resolve) => setTimeout(resolve, 20));
}
