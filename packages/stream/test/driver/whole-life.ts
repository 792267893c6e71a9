import { getEventListeners } from 'node:events';
import type { DriverName } from '../../src/driver/driver.ts';
import { drivers } from './drivers.ts';
import { Follower } from './follower.ts';
import { Member } from './member.ts';
import { batch, defaultSettings, offsetsOf, unique } from './stage.ts';

/** A driver's life in a process of its own, which ends when nothing is left of it. */
const [which, how, ...brokers] = process.argv.slice(2);

const say = (message: object): void => void process.stdout.write(`${JSON.stringify(message)}\n`);
const left = (): string[] =>
  process.getActiveResourcesInfo().filter((kind) => /TCP|TLS|Timeout|GetAddrInfo|Immediate/.test(kind));
const listeners = (): number =>
  process.eventNames().reduce((sum, event) => sum + process.listenerCount(event as string), 0);

const open = drivers.find(([name]) => name === (which as DriverName))?.[1];
if (!open) throw new Error(`no driver ${which}`);
const before = listeners();
const controller = new AbortController();
const { signal } = controller;
const driver = await open({ ...defaultSettings, brokers, requestTimeout: 1_000 });

const topic = unique('t');
await driver.admin.createTopic(topic, { partitions: 2, replication: 1, settings: {} }, signal);
const appender = await driver.appender({ signal });
offsetsOf(await appender.append([batch(topic, 0, ['plain'])]));
const transactor = await driver.transactor(unique('id'), { timeout: 60_000, signal });
await transactor.begin();
await transactor.append([batch(topic, 1, ['whole'])]);
await transactor.commit();
const member = await Member.join(driver, { group: unique('g'), topics: [topic], signal });
const from = new Map([
  [0, 0n],
  [1, 0n],
]);
const follower = await Follower.of(driver, { topic, from, signal });
while (
  [member, follower].some(
    (reader) => (reader === member && member.held.length < 2) || reader.course(1).records.length < 1,
  )
)
  await new Promise((resolve) => setTimeout(resolve, 10));
await driver.admin.describeGroup('none', signal);

if (how === 'silent') {
  // Until the network is broken.
  const waiting = new Promise<void>((resolve) => void process.once('SIGUSR2', () => resolve()));
  say({ ready: true });
  await waiting;
}
if (how === 'stopped') {
  await Promise.all([member.stop(), follower.stop(), appender.close(), transactor.close()]);
}
const begun = performance.now();
await driver.close();
const took = performance.now() - begun;
for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
say({
  took,
  left: left(),
  listeners: listeners() - before,
  signal: getEventListeners(signal, 'abort').length,
  complaints: [...member.complaints, ...follower.complaints],
});
