// A member of a group in a process of its own, to be killed and to stand still: `node member-process.ts`, told what to do by $QUORATE_MEMBER. It writes a line of JSON for each message when its handler
// ends, and ends when its standard input does.
import { setTimeout as wait } from 'node:timers/promises';
import { type DriverName, Stream } from '../src/index.ts';

export interface MemberPlan {
  readonly brokers: string;
  readonly driver: DriverName;
  readonly topic: string;
  readonly group: string;
  /** Where each message goes in a transaction; none without. */
  readonly into?: string;
  readonly sessionTimeout?: number;
  readonly concurrency?: number;
  /** How long a handler takes at most, by chance. */
  readonly workMs?: number;
}

const plan = JSON.parse(process.env.QUORATE_MEMBER ?? '{}') as MemberPlan;
const { brokers, driver, topic, group, into, sessionTimeout = 10_000, concurrency = 10, workMs = 2 } = plan;
const stream = new Stream({ brokers, driver });
/** Resolves when it is out of this process: what is still here is lost when it is killed, and would look like a message that nobody handled. */
const say = (message: unknown): Promise<void> =>
  new Promise((resolve) => process.stdout.write(`${JSON.stringify(message)}\n`, () => resolve()));
const out = into === undefined ? undefined : stream.topic(into);
const consumer = await stream.topic(topic).consume({
  group,
  sessionTimeout,
  concurrency,
  transactional: out !== undefined,
  handler: async ({ key, value, id }, { transaction, signal }) => {
    if (out) await transaction.publish(out, { key: key ?? '', value, ...(id !== undefined && { id: `out-${id}` }) });
    await wait(Math.random() * workMs, undefined, { signal });
    await say({ key, value });
  },
});
await say('ready');
process.stdin.on('data', () => {});
await new Promise((resolve) => process.stdin.once('end', resolve));
await say({ stats: { ...consumer.stats(), missed: String(consumer.stats().missed) } });
await stream.stop();
