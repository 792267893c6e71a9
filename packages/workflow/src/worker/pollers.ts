import type { CallOptions, Channel } from '../connection/channel.ts';

/** A worker that asks for work, as the server sees it. */
export interface Poller {
  readonly identity: string;
  readonly kind: 'workflow' | 'activity';
  /** When it last asked: it does so at least once a minute. */
  readonly seen: Date | undefined;
}

/** By the numbers that the protocol has for them. */
export const pollerKinds = { workflow: 1, activity: 2 } as const;

/** Who polls a queue, in all its partitions: each poll goes to one of them. */
export async function pollersOf(channel: Channel, taskQueue: string, { signal }: CallOptions = {}): Promise<Poller[]> {
  const { namespace } = channel.settings;
  const { workflowService } = channel.client;
  const asked = { what: `looking at the queue "${taskQueue}"`, writes: false };
  const found = await channel.call(
    asked,
    () => workflowService.listTaskQueuePartitions({ namespace, taskQueue: { name: taskQueue } }),
    { signal },
  );
  const partitions = { workflow: found.workflowTaskQueuePartitions, activity: found.activityTaskQueuePartitions };
  const pollers = new Map<string, Poller>();
  const look = async (kind: Poller['kind'], name: string): Promise<void> => {
    const request = { namespace, taskQueue: { name }, taskQueueType: pollerKinds[kind] };
    const answer = await channel.call(asked, () => workflowService.describeTaskQueue(request), { signal });
    for (const { identity, lastAccessTime } of answer.pollers ?? []) {
      const seen = lastAccessTime?.seconds ? new Date(Number(lastAccessTime.seconds) * 1_000) : undefined;
      const known = pollers.get(`${kind} ${identity}`)?.seen;
      if (known === undefined || (seen !== undefined && seen > known))
        pollers.set(`${kind} ${identity}`, { identity: identity ?? '', kind, seen });
    }
  };
  await Promise.all(
    (['workflow', 'activity'] as const).flatMap((kind) =>
      (partitions[kind] ?? []).map(({ key }) => look(kind, key ?? taskQueue)),
    ),
  );
  return [...pollers.values()];
}
