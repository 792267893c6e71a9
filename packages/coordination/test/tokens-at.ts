import { connect, type ZooKeeper } from '@quorate/zookeeper';
import { Lock } from '../src/index.ts';

/** The token of one more holder. */
async function tokenIn(zk: ZooKeeper): Promise<bigint> {
  await using lease = await new Lock(zk, '/locks/rides').acquire();
  return lease.token;
}

/** The last token of as many holders as that, one after the other. */
export async function tokensAt(servers: string, tokenEpoch: number, holders = 1): Promise<bigint> {
  await using zk = await connect(servers, { tokenEpoch });
  let token = 0n;
  for (let holder = 1; holder <= holders; holder += 1) token = await tokenIn(zk);
  return token;
}
