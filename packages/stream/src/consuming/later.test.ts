import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type KafkaRecord, sizeOf } from '../driver/record.ts';
import { headerNames } from '../topic/headers.ts';
import { DeadLetters } from './dead-letters.ts';
import { Entry } from './entry.ts';
import { Later } from './later.ts';
import { RecordLimits } from './record-limits.ts';

const { signal } = new AbortController();
const rides = { topic: 'rides', partition: 2 };
const waiting = { topic: 'rides.shop.later', partition: 0 };
const delay = 60_000;
const limits = new RecordLimits({ describeTopic: async () => undefined } as never);
const layout = { of: async () => [1] };
const later = new Later({} as never, layout as never, limits, rides.topic, waiting.topic, delay);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function entry(record: KafkaRecord): Entry {
  return new Entry({ ...record, offset: 7n }, sizeOf(record));
}

/** As it is put off after two failures. */
async function putOff(): Promise<KafkaRecord> {
  const failed = entry({ key: Buffer.from('a'), value: null, headers: [['own', Buffer.from('x')]], timestamp: 1 });
  failed.failures = 2;
  const { record } = await later.output(rides, failed, signal);
  return record;
}

/** With this header changed, or without it. */
function changed(record: KafkaRecord, name: string, text?: string): KafkaRecord {
  const others = record.headers.filter(([other]) => other !== name);
  return { ...record, headers: text === undefined ? others : [...others, [name, Buffer.from(text)]] };
}

test('a message that was put off says where it stood and how often it has failed, and waits until it is due', async () => {
  const back = entry(await putOff());
  expect(later.welcome(waiting, back)).toBe(delay);
  expect(back).toMatchObject({ origin: { ...rides, offset: 7n }, failures: 2, dead: undefined });
  vi.advanceTimersByTime(delay);
  expect(later.welcome(waiting, back)).toBe(0);
});

test('one that is put off again says the same things once, as they are now, and keeps what is its own', async () => {
  const back = entry(await putOff());
  later.welcome(waiting, back);
  back.failures += 1;
  vi.advanceTimersByTime(delay);
  const { record } = await later.output(waiting, back, signal);
  const told = record.headers.map(([name, value]) => [name, value.toString()]);
  expect(told).toEqual([
    ['own', 'x'],
    [headerNames.published, '1'],
    [headerNames.originTopic, rides.topic],
    [headerNames.originPartition, String(rides.partition)],
    [headerNames.originOffset, '7'],
    [headerNames.attempts, '3'],
    [headerNames.due, String(Date.now() + delay)],
  ]);
});

test.each(['9'.repeat(18), String(Date.now() + 365 * 86_400_000)])(
  'whatever it says, it waits no longer than those that fail now: %s',
  async (due) => {
    const back = entry(changed(await putOff(), headerNames.due, due));
    expect(later.welcome(waiting, back)).toBe(delay);
    vi.advanceTimersByTime(delay);
    expect(later.welcome(waiting, back)).toBe(0);
  },
);

test.each([-3_600_000, 3_600_000])('it waits as long when the clock is set meanwhile, by %i ms', async (by) => {
  const back = entry(await putOff());
  expect(later.welcome(waiting, back)).toBe(delay);
  vi.setSystemTime(Date.now() + by);
  expect(later.welcome(waiting, back)).toBe(delay);
  vi.advanceTimersByTime(delay);
  expect(later.welcome(waiting, back)).toBe(0);
});

test.each([
  ['of a topic that is not there', headerNames.originTopic, 'nowhere'],
  ['without a topic', headerNames.originTopic, undefined],
  ['without an offset', headerNames.originOffset, undefined],
  ['with a partition that is none', headerNames.originPartition, '-1'],
  ['that has not failed', headerNames.attempts, undefined],
  ['that is never due', headerNames.due, 'tomorrow'],
])('what nobody of the group has put there is a dead letter of the topic: %s', async (_, name, text) => {
  const strange = entry(changed(await putOff(), name, text));
  expect(later.welcome(waiting, strange)).toBeLessThanOrEqual(0);
  expect(strange.dead?.reason).toBe('invalid-origin');
  const letters = new DeadLetters({} as never, layout as never, limits, rides.topic, 'shop');
  const letter = await letters.letter(waiting, strange, signal);
  const told = Object.fromEntries(letter.record.headers.map(([own, value]) => [own, value.toString()]));
  expect([letter.topic, told[headerNames.deadTopic], told[headerNames.deadOffset]]).toEqual([
    'rides.dead',
    waiting.topic,
    '7',
  ]);
});
