import type { Cluster } from './cluster.ts';
import type { Identity } from './parcel.ts';
import { persist } from './persist.ts';

/** As the official client says it: it has no meaning without a transaction. */
const noTransaction = 2 ** 31 - 1;

/** A new identity for a producer without transactions. */
export async function identify(cluster: Cluster, signal: AbortSignal): Promise<Identity> {
  const what = 'prepare to publish';
  const request = cluster.connections.requests.initProducerId;
  return await persist(async () => {
    const answer = await cluster.askAny(request, [null, noTransaction, -1n, -1], { what, signal });
    cluster.check(answer.errorCode, { what });
    return { id: answer.producerId, epoch: answer.producerEpoch };
  }, cluster.patience(signal));
}
