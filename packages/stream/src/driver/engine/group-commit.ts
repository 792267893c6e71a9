import { AmbiguousError, doubtful, isQuorateError } from '@quorate/core';
import type { GroupOffset } from '../transactor.ts';
import type { Cluster } from './cluster.ts';
import { Again } from './failure.ts';
import type { Generation, Membership } from './membership.ts';
import { commitOffsets, ofTheSameTopics } from './offsets.ts';
import { persist } from './persist.ts';

export interface GroupCommit {
  readonly cluster: Cluster;
  readonly membership: Membership;
  readonly group: string;
  /** That of the partitions: a later one has nothing to say of them. */
  readonly generation: Generation;
  readonly offsets: readonly GroupOffset[];
  /** The ids of the topics as they were when the offsets came about. Default: just now. */
  readonly ids?: ReadonlyMap<string, string>;
}

/** Once: rejects with `Again`. `sent` is called when it is on its way. */
export async function commitOnce(
  { cluster, membership, group, generation, offsets, ids }: GroupCommit,
  signal: AbortSignal,
  sent: () => void = () => {},
): Promise<void> {
  const committer = { group, generation: generation.id, member: generation.member };
  const what = whatOf(group);
  const current = ids ? await ofTheSameTopics(cluster, offsets, ids, { what, signal }) : offsets;
  if (current.length === 0) return;
  const asking = { what, signal, sent };
  await membership.coordinated(signal, (coordinator) =>
    commitOffsets(cluster, coordinator, committer, current, asking),
  );
}

/** Until it is done, or refused, or one answer should have come by now. */
export async function commitForSure(commit: GroupCommit, signal: AbortSignal): Promise<void> {
  let doubt = false;
  const once = async (): Promise<void> => {
    const before = doubt;
    try {
      await commitOnce(commit, signal, () => {
        doubt = true;
      });
    } catch (error) {
      const answered = error instanceof Again ? error.reason !== undefined : !signal.aborted;
      if (answered) doubt = before;
      throw error;
    }
  };
  const { requestTimeout: unanswered } = commit.cluster.settings;
  try {
    await persist(once, { signal, unanswered });
  } catch (error) {
    if (!doubt) throw error;
    if (isQuorateError(error) && error.code !== 'kafka-unreachable') throw doubtful(error);
    const what = whatOf(commit.group);
    throw new AmbiguousError(`${what}: the broker did not answer, and it may have been done`, { cause: error });
  }
}

function whatOf(group: string): string {
  return `commit as a member of "${group}"`;
}
