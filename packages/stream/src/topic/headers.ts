import type { KafkaHeaders, KafkaRecord } from '../driver/record.ts';

/** Headers of ours. All are text in UTF-8. */
export const ours = 'quorate-';

export const headerNames = {
  contentType: 'content-type',
  /** The same however often the message is delivered. */
  id: 'quorate-id',
  /** Of which version of the schema the value is. */
  schema: 'quorate-schema',
  /** The fencing token of whoever published, in decimal. */
  fence: 'quorate-fence',
  /** Of a message that was written again, to be tried later, as a dead letter or after that: when it was published first, in milliseconds since 1970. */
  published: 'quorate-published',
  /** Of a message that is tried again later: where it stood, how often it was tried, and from when on it is due, in milliseconds since 1970. */
  originTopic: 'quorate-origin-topic',
  originPartition: 'quorate-origin-partition',
  originOffset: 'quorate-origin-offset',
  attempts: 'quorate-attempts',
  due: 'quorate-due',
  /** Of a request and what belongs to it: which one it is. */
  correlation: 'quorate-correlation',
  /** The partition of the topic for replies to which they are to go. */
  replyTo: 'quorate-reply-to',
  /** Until when somebody waits for the reply, in milliseconds since 1970 by the requester's clock. */
  deadline: 'quorate-deadline',
  /** `progress`, `reply` or `error`. */
  kind: 'quorate-kind',
  /** Of a dead letter: why it is one, and where it stood. */
  deadReason: 'quorate-dead-reason',
  deadError: 'quorate-dead-error',
  deadTopic: 'quorate-dead-topic',
  deadPartition: 'quorate-dead-partition',
  deadOffset: 'quorate-dead-offset',
  deadAttempts: 'quorate-dead-attempts',
  deadGroup: 'quorate-dead-group',
  /** What is left of it, where its topic does not take it whole. */
  deadCut: 'quorate-dead-cut',
  /** Of a record among dead letters that is none: those before this offset were sent again. */
  redelivered: 'quorate-redelivered',
} as const;

/** When a message was published. What is written again has a time of its own, or retention would count from when it was written first, and take it at once. */
export function publishedAt(record: KafkaRecord): number {
  return publishedBy(headersByName(record.headers), record);
}

/** The same, where its headers are known by name. */
export function publishedBy(headers: Readonly<Record<string, string>>, { timestamp }: KafkaRecord): number {
  const told = headers[headerNames.published];
  return told !== undefined && /^\d{1,15}$/.test(told) ? Number(told) : timestamp;
}

/** Whether the text is a fencing token. */
export function isToken(text: string): boolean {
  return /^\d{1,40}$/.test(text);
}

/** Whether it is no dead letter, but tells how far those before it were sent again. Whoever reads the topic by this package never sees it. */
export function isMark(topic: string, record: Pick<KafkaRecord, 'headers'>): boolean {
  return topic.endsWith('.dead') && record.headers.some(([name]) => name === headerNames.redelivered);
}

/** By name, as text; of a name that comes twice the last. Without a prototype: names come from outside. */
export function headersByName(headers: KafkaHeaders): Readonly<Record<string, string>> {
  const byName: Record<string, string> = Object.create(null);
  for (const [name, value] of headers) byName[name] = value.toString();
  return byName;
}
