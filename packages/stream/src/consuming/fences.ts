import { backoff } from '@quorate/core';
import type { Driver } from '../driver/driver.ts';
import type { TopicPartition } from '../driver/record.ts';
import { fencesIdOf, lastWord } from './derived-name.ts';
import type { Guard, IsOurs } from './guard.ts';
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
  readonly #troubles = new Map<string, unknown>();

  constructor(driver: Driver, group: string) {
    this.#driver = driver;
    this.#group = group;
  }

  get trouble(): string | undefined {
    const [trouble] = this.#troubles.values();
    return trouble instanceof Error ? `fencing tokens cannot be kept: ${trouble.message}` : undefined;
  }

  /** Rejects when the token could not be kept: then nobody knows, and the message must wait. */
  async admits(partition: TopicPartition, key: Buffer | null, token: bigint): Promise<boolean> {
    const name = nameOf(partition);
    const open = this.#partitions.get(name);
    if (!open) throw new Error('the partition is not ours any more');
    try {
      const admitted = await open.fences.admits(key, token);
      this.#troubles.delete(name);
      return admitted;
    } catch (error) {
      if (!open.of.aborted) this.#troubles.set(name, error);
      throw error;
    }
  }

  async open(partition: TopicPartition, signal: AbortSignal, isOurs: IsOurs): Promise<undefined> {
    const place = { topic: fenceTopicOf(partition.topic, this.#group), partition: partition.partition };
    const name = nameOf(partition);
    const delays = backoff({ min: 100, max: 5_000 });
    while (!signal.aborted) {
      try {
        await this.#makeRoom(partition, place, signal);
        const fences = await PartitionFences.open(this.#driver, place, fencesIdOf(place), signal, isOurs);
        if (signal.aborted) fences.close();
        else this.#partitions.set(name, { fences, of: signal });
        this.#troubles.delete(name);
        return undefined;
      } catch (error) {
        if (!signal.aborted) this.#troubles.set(name, error);
        await delays.wait({ signal }).catch(() => {});
      }
    }
    return undefined;
  }

  close(partition: TopicPartition, signal: AbortSignal): void {
    const name = nameOf(partition);
    this.#troubles.delete(name);
    const open = this.#partitions.get(name);
    if (open?.of !== signal) return;
    open.fences.close();
    this.#partitions.delete(name);
  }

  /** The topic may have more partitions than it had when the one for its tokens was made. */
  async #makeRoom(
    { topic, partition }: TopicPartition,
    { topic: kept }: TopicPartition,
    signal: AbortSignal,
  ): Promise<void> {
    const { admin } = this.#driver;
    if (((await admin.leaders(kept, signal))?.length ?? 0) > partition) return;
    const { length = 0 } = (await admin.leaders(topic, signal)) ?? [];
    await admin.enlargeTopic(kept, Math.max(length, partition + 1), signal);
  }
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic} ${partition}`;
}
