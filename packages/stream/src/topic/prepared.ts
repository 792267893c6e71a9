import type { KafkaRecord, TopicPartition } from '../driver/record.ts';
import type { NewMessage } from './message.ts';

/** A record, and where it goes. */
export interface Output extends TopicPartition {
  readonly record: KafkaRecord;
}

/** A topic, as far as a transaction needs it. */
export interface Publishable<Input> {
  /** Checks the message and says where it goes, without sending it. */
  prepare(message: NewMessage<Input>): Promise<Output & { readonly id: string }>;
}

/** A topic, as far as an outbox needs it. */
export interface Encodable<Input> {
  readonly name: string;
  /** Checks the message and gives it as Kafka would keep it, without asking Kafka. */
  encode(message: NewMessage<Input>): {
    readonly id: string;
    readonly record: KafkaRecord;
    readonly partition: number | undefined;
  };
}
