import type { IHeaders, Message } from 'kafkajs';
import type { KafkaRecord, ReadRecord } from '../record.ts';
import type { FetchedMessage } from './kafkajs-package.ts';

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

/** A record as the package gives it. Of headers the order in which their names came first is kept, not how they alternate. */
export function fromMessage({ key, value, headers = {}, timestamp, offset }: FetchedMessage): ReadRecord {
  return { key, value, headers: pairs(headers), timestamp: Number(timestamp), offset: BigInt(offset) };
}

function pairs(headers: Readonly<Record<string, unknown>>): (readonly [string, Buffer])[] {
  const found: (readonly [string, Buffer])[] = [];
  for (const name of Object.keys(headers)) {
    const values = headers[name];
    // A header that is called like something every object has ("constructor") comes with that thing before its own values.
    for (const value of Array.isArray(values) ? values : [values]) {
      if (Buffer.isBuffer(value)) found.push([name, value]);
      else if (value === null) found.push([name, Buffer.alloc(0)]);
    }
  }
  return found;
}
