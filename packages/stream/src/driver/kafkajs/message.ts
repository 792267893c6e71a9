import type { IHeaders, Message } from 'kafkajs';
import type { KafkaRecord } from '../record.ts';

/** A record as the package takes it. */
export function toMessage({ key, value, headers, timestamp }: KafkaRecord): Message {
  return { key, value, timestamp: sortable(timestamp), ...(headers.length > 0 && { headers: inOrder(headers) }) };
}

/** The package sorts times as texts, and takes the number 0 for the time now. */
function sortable(timestamp: number): string {
  return String(Math.trunc(timestamp)).padStart(16, '0');
}

/**
 * The package writes headers name by name, names that look like numbers first. Of a name with several values it maps the list
 * of those to pairs: this list maps to all pairs there are.
 */
function inOrder(headers: KafkaRecord['headers']): IHeaders {
  const pairs = headers.map(([key, value]) => ({ key, value }));
  return { all: Object.assign([], { map: () => pairs }) };
}
