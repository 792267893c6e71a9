import type { API, Writer } from '@platformatic/kafka';
import type { Library } from './library.ts';

/** Batches for partitions, as Kafka keeps them. */
export interface ProducedTopic {
  readonly name: string;
  readonly partitions: readonly { readonly index: number; readonly batch: Buffer }[];
}

export type ProduceArgs = [transactionalId: string | null, patience: number, topics: ProducedTopic[]];

type Answer = ReturnType<Library['produceV11']['parseResponse']>;

const produceKey = 0;
/** The leader answers when all replicas in sync have it. */
const byAll = -1;

/** The request that writes, for batches that are encoded already: a newest and two older versions, which are alike. */
export function produceRequests(library: Library): readonly API<ProduceArgs, Answer>[] {
  const create = (...[transactionalId, patience, topics]: ProduceArgs): Writer =>
    library.Writer.create()
      .appendString(transactionalId)
      .appendInt16(byAll)
      .appendInt32(patience)
      .appendArray(topics, (writer, { name, partitions }) => {
        writer.appendString(name).appendArray([...partitions], (inner, { index, batch }) => {
          inner
            .appendInt32(index)
            .appendUnsignedVarInt(batch.length + 1)
            .append(batch);
        });
      })
      .appendTaggedFields();
  return [[11, library.produceV11] as const, [10, library.produceV10] as const, [9, library.produceV9] as const].map(
    ([version, { parseResponse }]) =>
      library.createAPI<ProduceArgs, Answer>(produceKey, version, create, parseResponse),
  );
}
