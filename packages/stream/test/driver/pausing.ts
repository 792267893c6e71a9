import { eventually } from '@quorate/testbed';
import { expect } from 'vitest';
import type { TopicPartition } from '../../src/driver/record.ts';
import type { Witness } from './witness.ts';

interface Reading {
  readonly reader: {
    pause(partition: TopicPartition): void;
    resume(partition: TopicPartition): void;
  };
  values(partition: number): readonly string[];
}

/** Pauses partition 0 of two that are read: nothing comes of it while the other goes on, and all of it soon after. */
export async function pausesOne(reading: Reading, topic: string, witness: Witness): Promise<void> {
  const { reader } = reading;
  reader.pause({ topic, partition: 0 });
  reader.pause({ topic, partition: 9 });
  reader.resume({ topic: 'another', partition: 0 });
  const both = async (value: string): Promise<void> => {
    for (const partition of [0, 1]) await witness.produce(topic, partition, [value]);
    await eventually(value, () => reading.values(1).includes(value));
  };
  // This one may be on its way already.
  await both('first');
  await both('second');
  await both('third');
  expect(reading.values(0).filter((value) => value !== 'first')).toEqual([]);
  reader.resume({ topic, partition: 0 });
  const begun = performance.now();
  await eventually('all of it', () => reading.values(0).length === 3);
  expect(performance.now() - begun).toBeLessThan(500);
  expect(reading.values(0)).toEqual(['first', 'second', 'third']);
}
