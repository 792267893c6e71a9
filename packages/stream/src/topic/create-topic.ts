import type { Admin } from '../driver/admin.ts';
import { type TopicDifference, TopicDiffersError } from '../errors/topic-differs-error.ts';
import type { TopicSettings } from './topic-options.ts';

/** Makes the topic, or compares the one that is there with what was declared. */
export async function createTopic(
  admin: Admin,
  { name, shape, declared }: TopicSettings,
  signal: AbortSignal,
): Promise<void> {
  if (await admin.createTopic(name, shape, signal)) return;
  const found = await admin.describeTopic(name, Object.keys(shape.settings), signal);
  // Somebody has deleted it in between.
  if (!found) return createTopic(admin, { name, shape, declared } as TopicSettings, signal);
  const points: [point: string, declared: string, found: string][] = Object.entries(shape.settings).map(
    ([setting, text]) => [setting, text, found.settings[setting] ?? 'not known'],
  );
  if (declared.partitions) points.push(['partitions', String(shape.partitions), String(found.partitions)]);
  if (declared.replication) points.push(['replication', String(shape.replication), String(found.replication)]);
  const differences: TopicDifference[] = points
    .filter(([, wanted, there]) => wanted !== there)
    .map(([point, wanted, there]) => ({ point, declared: wanted, found: there }));
  if (differences.length > 0) throw new TopicDiffersError(name, differences);
}
