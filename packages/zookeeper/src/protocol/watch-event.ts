import type { Reader } from '../jute/reader.ts';

/** What the server says when a watch fires. Kinds of a future server are passed over, hence the plain number. */
export interface WatchNotification {
  readonly type: number;
  readonly path: string;
}

export const notified = { created: 1, deleted: 2, changed: 3, children: 4 } as const;

export function readWatchNotification(reader: Reader): WatchNotification {
  const type = reader.int();
  reader.int();
  return { type, path: reader.string() };
}
