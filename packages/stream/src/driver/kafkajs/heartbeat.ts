import { deadline, type QuorateError, sleep } from '@quorate/core';
import { NotAMemberError } from '../../errors/not-a-member-error.ts';
import type { GroupReaderOptions } from '../group-reader.ts';
import { failure } from './failure.ts';
import type { Generation, Membership } from './membership.ts';

interface HeartbeatEvents {
  /** By an answer to what was sent at this time; the group may share its partitions out anew. Says whether the generation is over. */
  confirmed(at: number, sharedOut: boolean): boolean | Promise<boolean>;
  trouble(error: QuorateError | undefined): void;
}

type Options = Pick<GroupReaderOptions, 'group' | 'sessionTimeout'>;

/** Tells the coordinator that we are there, until the generation is over. Resolves with why when it was lost. */
export async function heartbeat(
  membership: Membership,
  generation: Generation,
  { group, sessionTimeout }: Options,
  over: AbortSignal,
  events: HeartbeatEvents,
): Promise<QuorateError | undefined> {
  const interval = Math.min(1_000, sessionTimeout / 5);
  let { confirmedAt } = generation;
  while (!over.aborted)
    try {
      await sleep(interval, { signal: over, background: true });
      using silence = deadline(Math.max(0, confirmedAt + sessionTimeout - performance.now()), over);
      const { sentAt, sharedOut } = await membership.beat(generation, silence.signal);
      confirmedAt = sentAt;
      events.trouble(undefined);
      if (await events.confirmed(sentAt, sharedOut)) break;
    } catch (error) {
      if (over.aborted) break;
      if (performance.now() >= confirmedAt + sessionTimeout)
        return new NotAMemberError(group, `no word from its coordinator for ${sessionTimeout} ms`, { cause: error });
      const given = failure(error, { what: `stay in the group "${group}"`, group });
      if (membership.noted(error) || given.code === 'not-a-member') return given;
      events.trouble(given);
    }
  return undefined;
}
