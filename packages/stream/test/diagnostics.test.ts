import { type ChannelListener, subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel';
import { eventually } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { expect, onTestFinished } from 'vitest';
import type { GivenUp, Share, TracedHandle, TracedSend } from '../src/index.ts';
import { bench } from './fixture.ts';

/** What is published on a channel until the end of the test. */
function heardOn<T>(name: string): T[] {
  const heard: T[] = [];
  const listen: ChannelListener = (message) => void heard.push(message as T);
  subscribe(name, listen);
  onTestFinished(() => void unsubscribe(name, listen));
  return heard;
}

test('channels tell what is sent and handled, what is given up, and who has what', async ({
  servers: { QUORATE_KAFKA },
}) => {
  await using place = await bench(QUORATE_KAFKA, { partitions: 2 });
  const sent: string[] = [];
  const handled: string[] = [];
  const [sends, handles] = [
    tracingChannel<TracedSend>('quorate.stream.send'),
    tracingChannel<TracedHandle>('quorate.stream.handle'),
  ];
  const listeners = (list: string[]) => ({
    start: () => void list.push('start'),
    end: () => {},
    asyncStart: () => {},
    asyncEnd: () => void list.push('end'),
    error: ({ error }: { error: unknown }) => void list.push(`error ${(error as Error).message}`),
  });
  const [onSend, onHandle] = [listeners(sent), listeners(handled)];
  sends.subscribe(onSend as never);
  handles.subscribe(onHandle as never);
  onTestFinished(() => {
    sends.unsubscribe(onSend as never);
    handles.unsubscribe(onHandle as never);
  });
  const givenUp = heardOn<GivenUp>('quorate.stream.give-up');
  const shares = heardOn<Share>('quorate.stream.share');
  const rides = place.open();
  await using consumer = await rides.consume({
    group: 'told',
    deadLetter: false,
    retry: { attempts: 2, delay: 1 },
    handler: ({ value }) => {
      if (value === 2) throw new Error('no such cab');
    },
  });
  const { partition, offset } = await rides.publish({ key: 'a', value: 2 });
  await rides.publishMany([{ key: 'a', value: 1 }]);
  await eventually(
    'one is handled, one is given up',
    () => consumer.stats().handled === 1 && consumer.stats().dropped === 1,
  );
  expect(sent).toEqual(['start', 'end', 'start', 'end']);
  expect(handled.sort()).toEqual([
    'end',
    'end',
    'end',
    'error no such cab',
    'error no such cab',
    'start',
    'start',
    'start',
  ]);
  expect(givenUp).toEqual([
    {
      group: 'told',
      topic: place.topic,
      partition,
      offset,
      reason: 'failed',
      error: 'Error: no such cab',
      kept: false,
    },
  ]);
  const { topic } = place;
  expect(shares.at(-1)).toEqual({
    group: 'told',
    missed: 0n,
    partitions: expect.arrayContaining([
      { topic, partition: 0 },
      { topic, partition: 1 },
    ]),
  });
});
