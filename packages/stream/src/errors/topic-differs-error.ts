import { QuorateError } from '@quorate/core';

/** In which point a topic is not as it was declared. */
export interface TopicDifference {
  /** `partitions`, `replication`, or a setting by Kafka's name. */
  readonly point: string;
  readonly declared: string;
  readonly found: string;
}

/** There is a topic of this name, and it is not as declared. It was left as it is. */
export class TopicDiffersError extends QuorateError {
  readonly topic: string;
  readonly differences: readonly TopicDifference[];

  constructor(topic: string, differences: readonly TopicDifference[]) {
    const told = differences.map(({ point, declared, found }) => `${point} is ${found}, declared was ${declared}`);
    super(`the topic "${topic}" is there, and differs: ${told.join('; ')}`, { code: 'topic-differs', happened: 'no' });
    this.topic = topic;
    this.differences = differences;
  }
}
