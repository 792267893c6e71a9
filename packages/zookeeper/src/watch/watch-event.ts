/**
 * - `created`, `deleted`, `changed` (its data): what happened to the node at `path`.
 * - `children`: the list of its children changed.
 * - `gap`: events may have been missed; read again what you derive from them. `path` is the one that was watched.
 */
export interface WatchEvent {
  readonly type: 'created' | 'deleted' | 'changed' | 'children' | 'gap';
  readonly path: string;
}

/** Called at most once, when what was read has changed. Not called when the session ends first: `lost` says so. */
export type Watcher = (event: WatchEvent) => void;
