import { QuorateError } from '@quorate/core';
import type { TopicPartition } from '../driver/record.ts';

/** What stands at this offset is not what the topic's schema and format expect. */
export class PoisonMessageError extends QuorateError {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly reason: string;

  constructor({ topic, partition }: TopicPartition, offset: bigint, reason: string, detail: string) {
    super(`${topic}, partition ${partition}, offset ${offset}: ${reason}: ${detail}`, {
      code: 'poison-message',
      happened: 'no',
    });
    this.topic = topic;
    this.partition = partition;
    this.offset = offset;
    this.reason = reason;
  }
}
