import { applied, type Operation } from '../history/operation.ts';
import { fieldOf } from '../history/plain.ts';
import { Deletes, isDelete } from './deletes.ts';
import type { Judged, Lost } from './lost.ts';
import { bigintOf } from './model.ts';

/** Whether a version was replaced twice while the object was the same one. */
export function lostVersions(operations: readonly Operation[]): Judged {
  const updates = operations.flatMap((operation) => {
    const version = operation.outcome === 'ok' && applied(operation) && versionOf(operation);
    // ZooKeeper takes -1 for "whatever the version is".
    return typeof version === 'bigint' && version >= 0n ? [{ version, operation }] : [];
  });
  if (updates.length < 2) return { count: 0 };
  const deletes = new Deletes(operations);
  for (const [version, ofVersion] of Map.groupBy(updates, (update) => update.version)) {
    const pair = replacedTwice(
      ofVersion.map(({ operation }) => operation),
      deletes,
    );
    if (pair !== undefined) return { count: updates.length, lost: overwritten(version, pair) };
  }
  return { count: updates.length };
}

function versionOf({ input }: Operation): bigint | undefined {
  return bigintOf(fieldOf(input, 'version'));
}

/** Two that expected the same version, with no time for a delete from the begin of the first to the end of the last. */
function replacedTwice(
  operations: readonly Operation[],
  deletes: Deletes,
): readonly [Operation, Operation] | undefined {
  const inOrder = operations.toSorted((a, b) => a.invoked - b.invoked);
  const changes = inOrder.filter((operation) => !isDelete(operation));
  // One beside which no delete was under way lies between two deletes: where two lie between the same ones, one is lost.
  const alone = new Map<number, Operation>();
  for (const change of changes) {
    if (deletes.within(change.invoked, change.completed) > 0) continue;
    const place = deletes.begunBefore(change.invoked);
    const other = alone.get(place);
    if (other !== undefined) return [other, change];
    alone.set(place, change);
  }
  // A delete ends the versions itself, so it may come before a change of the same version; after one it may not.
  const byCompletion = changes.toSorted((a, b) => a.completed - b.completed);
  let next = 0;
  let latest: Operation | undefined;
  for (const last of inOrder.filter(isDelete)) {
    for (; (byCompletion[next]?.completed ?? Infinity) < last.invoked; next += 1) {
      const change = byCompletion[next] as Operation;
      if (latest === undefined || change.invoked > latest.invoked) latest = change;
    }
    if (latest !== undefined && deletes.within(latest.invoked, last.completed) === 1) return [latest, last];
  }
  return undefined;
}

function overwritten(version: bigint, operations: readonly [Operation, Operation]): Lost {
  const why = `Both replaced version ${version}: the one that came first is lost.`;
  return { summary: 'an update was overwritten', why, operations };
}
