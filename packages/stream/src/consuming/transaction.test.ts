import { expect, test } from 'vitest';
import type { Output, Publishable } from '../topic/prepared.ts';
import { Gathering } from './transaction.ts';

/** Messages of which each can be sent when the test says so. */
function topic() {
  const places: PromiseWithResolvers<void>[] = [];
  const prepare = async ({ value }: { readonly value: unknown }): Promise<unknown> => {
    const place = Promise.withResolvers<void>();
    places.push(place);
    await place.promise;
    return { id: `id-${value}`, topic: 't', partition: value };
  };
  return { places, topic: { prepare } as unknown as Publishable<number> };
}

const partitionsOf = (outputs: readonly Output[]): number[] => outputs.map(({ partition }) => partition);

test('what is published is in the order of the calls, whichever can be sent first', async () => {
  const { topic: rides, places } = topic();
  const gathering = new Gathering();
  const published = [1, 2].map((value) => gathering.publish(rides, { value }));
  for (const place of places.toReversed()) place.resolve();
  expect(await Promise.all(published)).toEqual([{ id: 'id-1' }, { id: 'id-2' }]);
  expect(partitionsOf(gathering.end())).toEqual([1, 2]);
});

test('whoever publishes after the handler has ended, or does not wait, is told that it comes to nothing', async () => {
  const { topic: rides, places } = topic();
  const gathering = new Gathering();
  const [before, during] = [1, 2].map((value) => gathering.publish(rides, { value }));
  places[0]?.resolve();
  await before;
  const outputs = gathering.end();
  const after = gathering.publish(rides, { value: 3 });
  for (const place of places) place.resolve();
  for (const late of [during, after]) await expect(late).rejects.toThrow('before the handler has ended');
  expect(partitionsOf(outputs)).toEqual([1]);
});
