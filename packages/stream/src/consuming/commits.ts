import type { GroupReader } from '../driver/group-reader.ts';
import type { Assignment } from './assignment.ts';
import type { IsOurs } from './guard.ts';

/** How progress is kept. */
export interface Commits {
  /**
   * Never rejects: what could not be committed is, with the next one or by whoever has the partition then. One at a time.
   */
  commit(assignment: Assignment, reader: GroupReader | undefined, isOurs: IsOurs): Promise<void>;
}

/** By the group, some time after the work. */
export const offsetCommits: Commits = {
  async commit(assignment, reader) {
    const offsets = assignment.uncommitted;
    if (offsets.length === 0) return;
    try {
      await reader?.commit(offsets);
      assignment.markCommitted(offsets);
    } catch (error) {
      // It is done again by whoever has the partition next.
      assignment.noteRefused(error);
    }
  },
};
