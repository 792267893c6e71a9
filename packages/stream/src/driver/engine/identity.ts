import type { Cluster } from './cluster.ts';
import type { Identity } from './parcel.ts';
import { persist } from './persist.ts';
import { initProducerId } from './protocol/init-producer-id.ts';

/** As the official client says it: it has no meaning without a transaction. */
const noTransaction = 2 ** 31 - 1;

/** A new identity for a producer without transactions. */
export async function identify(cluster: Cluster, signal: AbortSignal): Promise<Identity> {
  const what = 'prepare to publish';
  const ask = { transactionalId: null, transactionTimeoutMs: noTransaction, producerId: -1n, producerEpoch: -1 };
  return await persist(async () => {
    const answer = await cluster.askAny(initProducerId, ask, { what, signal });
    cluster.check(answer.errorCode, { what });
    return { id: answer.producerId, epoch: answer.producerEpoch };
  }, cluster.patience(signal));
}
