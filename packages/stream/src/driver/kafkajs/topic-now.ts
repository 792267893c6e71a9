import type { TopicShape } from '../admin.ts';
import { type Ask, ask } from './ask.ts';
import { Answer } from './failure.ts';
import type { TopicMetadata } from './kafkajs-package.ts';
import type { Link } from './link.ts';
import { anyOf } from './whom.ts';

const ofTopics = 2;
const unknownTopic = 3;

/** By their numbers; undefined when there is no such topic. */
export async function partitionsNow(
  link: Link,
  topic: string,
  way: Ask,
): Promise<TopicMetadata['partitionMetadata'] | undefined> {
  return ask(anyOf(link), { ...way, again: ['LEADER_NOT_AVAILABLE'] }, async (broker) => {
    const { topicMetadata } = await broker.metadata([topic]);
    const { topicErrorCode = unknownTopic, partitionMetadata = [] } = topicMetadata[0] ?? {};
    if (topicErrorCode === unknownTopic) return undefined;
    // Without leaders it is there all the same.
    if (topicErrorCode !== 0 && partitionMetadata.length === 0) throw new Answer(topicErrorCode);
    return partitionMetadata.toSorted((a, b) => a.partitionId - b.partitionId);
  });
}

/** Those that were asked for. */
export async function settingsNow(
  link: Link,
  topic: string,
  settings: readonly string[],
  way: Ask,
): Promise<TopicShape['settings']> {
  if (settings.length === 0) return {};
  const { resources } = await ask(anyOf(link), way, (broker) =>
    broker.describeConfigs({ resources: [{ type: ofTopics, name: topic, configNames: settings }] }),
  );
  const entries = resources.flatMap(({ configEntries }) => configEntries);
  return Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue ?? '']));
}
