import { backoff, deadline } from '@quorate/core';
import { failure } from './failure.ts';
import type { Link } from './link.ts';
import { race } from './race.ts';

/** A broker that does not answer is left out after so long, in milliseconds: whoever writes will not ask it either. */
const patience = 1_000;

/** Resolves when every broker that answers knows a leader of each partition of the topic: one that does not would deny that it is there. */
export async function usable(link: Link, topic: string, limit: AbortSignal): Promise<void> {
  const delays = backoff({ min: 20, max: 200 });
  for (;;) {
    const answers = await Promise.all(link.nodes.map((node) => ready(link, node, topic, limit)));
    if (answers.includes(true) && !answers.includes(false)) return link.look([]);
    await delays.wait({ signal: limit }).catch(() => {
      throw failure(new Error('not every broker knows it in time'), { what: `wait for the topic "${topic}"`, topic });
    });
  }
}

/** Undefined when it does not answer. */
async function ready(link: Link, node: string, topic: string, outer: AbortSignal): Promise<boolean | undefined> {
  using limit = deadline(patience, outer);
  try {
    const broker = await race(link.broker(node), limit.signal);
    const { topicMetadata } = await race(broker.metadata([topic]), limit.signal);
    const partitions = topicMetadata.find((other) => other.topic === topic)?.partitionMetadata ?? [];
    return partitions.length > 0 && partitions.every(({ leader }) => leader >= 0);
  } catch {
    return undefined;
  }
}
