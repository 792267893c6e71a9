import type { Keeping } from './entry-options.ts';
import type { Opened } from './parcel.ts';
import { type Envelope, tokenIn, unseal } from './redis/envelope.ts';
import { type Silence, silence } from './redis/link.ts';
import type { Store } from './store.ts';

/** A value from Redis that can be given out. */
export interface Found {
  /** What this process keeps of it; see `Parcel.reveal`. */
  readonly value: unknown;
  /** What that counts as in this process. */
  readonly bytes: number;
  readonly envelope: Envelope;
}

/** Nothing to give; and the token of what stands there, which is not good or not good enough. */
export interface Nothing {
  readonly seen: Buffer;
}

export const nothing: Nothing = { seen: Buffer.alloc(0) };

/** What the bytes under a key come to. Mostly there is nothing to wait for. */
export function open(
  store: Store,
  keeping: Keeping,
  bytes: Buffer,
): Found | Nothing | Promise<Found | Nothing | Silence> {
  const envelope = unseal(bytes);
  const opened = envelope && store.parcel.open(envelope, keeping);
  if (envelope === undefined || opened === undefined) return unreadable(store, bytes);
  const valid = store.coherence.tags.valid(envelope.tags, envelope.clock);
  if (opened instanceof Promise || valid === undefined) return openSlowly(store, envelope, opened, bytes);
  return valid && inTime(store, envelope) ? { ...opened, envelope } : { seen: envelope.token };
}

async function openSlowly(
  store: Store,
  envelope: Envelope,
  opening: Opened | Promise<Opened>,
  bytes: Buffer,
): Promise<Found | Nothing | Silence> {
  const opened = await opening;
  if (opened === undefined) return unreadable(store, bytes);
  if (!inTime(store, envelope)) return { seen: envelope.token };
  const valid = await store.coherence.tags.check(envelope.tags, envelope.clock);
  if (valid === silence) return silence;
  return valid ? { ...opened, envelope } : { seen: envelope.token };
}

/** Redis lets go of it by itself at its end; its clock and ours may differ a little. */
function inTime({ link }: Store, envelope: Envelope): boolean {
  return link.serverTime(performance.now()) < envelope.staleUntil;
}

function unreadable({ counters }: Store, bytes: Buffer): Nothing {
  counters.unreadable += 1;
  return { seen: tokenIn(bytes) };
}
