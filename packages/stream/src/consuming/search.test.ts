import { expect, test } from 'vitest';
import type { Admin } from '../driver/admin.ts';
import type { RecordBatch } from '../driver/record.ts';
import type { Transactor } from '../driver/transactor.ts';
import { MessageTooLargeError } from '../errors/message-too-large-error.ts';
import { NotAuthorizedError } from '../errors/not-authorized-error.ts';
import { RefusedError } from '../errors/refused-error.ts';
import { UnknownTopicError } from '../errors/unknown-topic-error.ts';
import type { Output } from '../topic/prepared.ts';
import { Entry } from './entry.ts';
import { Search } from './search.ts';

const size = 24;

function source(...outputs: readonly (readonly [topic: string, text: string, partition?: number])[]): Entry {
  const entry = new Entry({ key: null, value: null, headers: [], timestamp: 0, offset: 0n }, 0);
  entry.outputs = outputs.map(
    ([topic, text, partition = 0]): Output => ({
      topic,
      partition,
      record: { key: null, value: Buffer.from(text), headers: [], timestamp: 0 },
    }),
  );
  return entry;
}

/** A cluster with one topic of one partition. */
function cluster() {
  const counts = { begun: 0, missed: 0 };
  const check = ({ topic, partition, records }: RecordBatch): void => {
    if (topic !== 'there' || partition > 0) {
      counts.missed += 1;
      throw new UnknownTopicError(topic);
    }
    const texts = records.map(({ value }) => String(value));
    if (texts.includes('late')) throw new RefusedError('publish', 'INVALID_TIMESTAMP');
    if (texts.includes('secret')) throw new NotAuthorizedError('publish');
    if (texts.join('').length > 10) throw new MessageTooLargeError('publish');
  };
  const transactor = {
    begin: async () => {
      counts.begun += 1;
    },
    append: async (batches: readonly RecordBatch[]) => {
      for (const batch of batches) check(batch);
      return [];
    },
  };
  const admin = { leaders: async (topic: string) => (topic === 'there' ? [1] : undefined) };
  const search = new Search(transactor as unknown as Transactor, admin as unknown as Admin, 10 * (size + 10));
  return { counts, search };
}

test('of many messages those are found of which something came that is refused, and no others', async () => {
  const { counts, search } = cluster();
  const all = Array.from({ length: 100 }, (_, index) => source(['there', `${index}`], ['there', 'more']));
  const late = source(['there', 'a'], ['there', 'late']);
  const large = source(['there', 'x'.repeat(11)]);
  all.splice(30, 0, late);
  all.splice(70, 0, large);
  const refused = await search.among(all);
  expect([...refused].map(([entry, { code }]) => [all.indexOf(entry), code])).toEqual([
    [30, 'refused'],
    [70, 'message-too-large'],
  ]);
  expect(counts.begun).toBe(1);
});

test('where what goes together is too much, and nothing of it is alone, nothing is found', async () => {
  const { search } = cluster();
  expect(await search.among([source(['there', '123456']), source(['there', '123456'])])).toEqual(new Map());
});

test('all that goes where there is nothing is found at once', async () => {
  const { counts, search } = cluster();
  const gone = Array.from({ length: 50 }, (_, index) => source(['there', 'a'], ['gone', `${index}`, index % 3]));
  const beyond = source(['there', 'a', 1]);
  const good = source(['there', 'b']);
  const refused = await search.among([good, ...gone, beyond]);
  expect([refused.size, refused.has(good), refused.has(beyond)]).toEqual([51, false, true]);
  // Each takes some time.
  expect(counts.missed).toBe(2);
});

test('what does not depend on what is sent condemns no message', async () => {
  const { search } = cluster();
  await expect(search.among([source(['there', 'secret'])])).rejects.toMatchObject({ code: 'not-authorized' });
});
