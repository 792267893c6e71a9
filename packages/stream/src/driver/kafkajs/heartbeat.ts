import { type QuorateError, sleep } from '@quorate/core';
import type { GroupReaderOptions } from '../group-reader.ts';
import { failure } from './failure.ts';
import type { Generation, Membership } from './membership.ts';

interface HeartbeatEvents {
  /** By an answer to what was sent at this time; the group may share its partitions out anew. Says whether the generation is over. */
  confirmed(at: number, sharedOut: boolean): boolean | Promise<boolean>;
  trouble(error: QuorateError | undefined): void;
}

/** In milliseconds. By the answer to a heartbeat a member hears that others wait for it. */
const mostBetween = 500;

/**
 * Tells the coordinator that we are there, until the generation is over. Resolves with why when it was lost. That is for the coordinator
 * to say: when it is away for longer than a session, it may still count us as a member when it is back. Whoever works
 * on the partitions goes by what was confirmed.
 */
export async function heartbeat(
  membership: Membership,
  generation: Generation,
  { group, sessionTimeout }: Pick<GroupReaderOptions, 'group' | 'sessionTimeout'>,
  over: AbortSignal,
  events: HeartbeatEvents,
): Promise<QuorateError | undefined> {
  const interval = Math.min(mostBetween, sessionTimeout / 5);
  while (!over.aborted)
    try {
      await sleep(interval, { signal: over, background: true });
      const { sentAt, sharedOut } = await membership.beat(generation, over);
      events.trouble(undefined);
      if (await events.confirmed(sentAt, sharedOut)) break;
    } catch (error) {
      if (over.aborted) break;
      const given = failure(error, { what: `stay in the group "${group}"`, group });
      if (membership.noted(error) || given.code === 'not-a-member') return given;
      events.trouble(given);
    }
  return undefined;
}
