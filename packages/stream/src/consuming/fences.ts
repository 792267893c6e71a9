import { backoff } from '@quorate/core';
import type { Driver } from '../driver/driver.ts';
import type { TopicPartition } from '../driver/record.ts';
import { fencesIdOf, lastWord } from './derived-name.ts';
import type { Guard } from './guard.ts';
import { PartitionFences } from './partition-fences.ts';

/** Where a group keeps the newest fencing tokens of a topic. */
export function fenceTopicOf(topic: string, group: string): string {
  return `${topic}.${group}.${lastWord('fences', group)}`;
}

/** The newest fencing tokens that a group has seen, in the partitions that this member has. */
export class Fences implements Guard {
  readonly #driver: Driver;
  readonly #group: string;
  readonly #partitions = new Map<string, { readonly fences: PartitionFences; readonly of: AbortSignal }>();

  constructor(driver: Driver, group: string) {
    this.#driver = driver;
    this.#group = group;
  }

  /** Rejects when the token could not be kept: then nobody knows, and the message must wait. */
  async admits(partition: TopicPartition, key: Buffer | null, token: bigint): Promise<boolean> {
    const open = this.#partitions.get(nameOf(partition));
    if (!open) throw new Error('the partition is not ours any more');
    return open.fences.admits(key, token);
  }

  async open(partition: TopicPartition, signal: AbortSignal): Promise<undefined> {
    const place = { topic: fenceTopicOf(partition.topic, this.#group), partition: partition.partition };
    const delays = backoff({ min: 100, max: 5_000 });
    while (!signal.aborted) {
      try {
        const fences = await PartitionFences.open(this.#driver, place, fencesIdOf(place), signal);
        if (signal.aborted) fences.close();
        else this.#partitions.set(nameOf(partition), { fences, of: signal });
        return undefined;
      } catch {
        await delays.wait({ signal }).catch(() => {});
      }
    }
    return undefined;
  }

  close(partition: TopicPartition, signal: AbortSignal): void {
    const open = this.#partitions.get(nameOf(partition));
    if (open?.of !== signal) return;
    open.fences.close();
    this.#partitions.delete(nameOf(partition));
  }
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic} ${partition}`;
}
