import type { Acl } from '@quorate/zookeeper';

/** What has happened to a node, in the protocol's numbers. */
export interface Event {
  readonly type: number;
  readonly path: string;
  /** Of the node: who may not read it is not told, though the watch has fired. */
  readonly acl: readonly Acl[];
}

/** One transaction under way: whose it is, and how to take it back. */
export interface Change {
  readonly zxid: bigint;
  readonly time: bigint;
  readonly session: bigint;
  /** What the watches are told of when all of it has happened. */
  readonly events: Event[];
  /** Takes back what was done, the latest first. */
  readonly undo: (() => void)[];
}

/** Sets fields so that the change can take it back. */
export function put<T extends object>({ undo }: Change, target: T, fields: Partial<T>): void {
  const before = Object.fromEntries(Object.keys(fields).map((name) => [name, target[name as keyof T]]));
  undo.push(() => Object.assign(target, before));
  Object.assign(target, fields);
}
