import type { KafkaRecord } from '../driver/record.ts';
import type { Sending } from '../tracing.ts';

/** What goes around sending a message, or putting it where it is sent from later. */
type Around<T> = (message: Sending, add: (name: string, text: string) => void, work: () => Promise<T>) => Promise<T>;

/** Does that with a record, which gets the headers by which its consumers join the trace. */
export function traced<T>(
  around: Around<T> | undefined,
  { topic, id }: Pick<Sending, 'topic' | 'id'>,
  record: KafkaRecord,
  work: (record: KafkaRecord) => Promise<T>,
): Promise<T> {
  if (!around) return work(record);
  const { key, value, headers, timestamp } = record;
  const added: (readonly [string, Buffer])[] = [];
  return around(
    { topic, id, key: key?.toString(), bytes: value?.length ?? 0 },
    (name, text) => added.push([name, Buffer.from(text)]),
    () => work({ key, value, headers: [...headers, ...added], timestamp }),
  );
}
