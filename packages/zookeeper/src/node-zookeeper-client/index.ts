import { InvalidArgumentError } from '@quorate/core';
import { Client } from '../client.ts';
import { checkTokenEpoch } from '../token-epoch.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { AdaptedSession } from './adapted-session.ts';
import type { NodeZookeeperClient } from './native.ts';

export type { NodeZookeeperClient } from './native.ts';

export interface AdapterOptions {
  /** As in `connect`. */
  readonly tokenEpoch?: number | undefined;
}

/**
 * Our interface over a `node-zookeeper-client` that an application has already, connected or not, with a watchdog: a dead
 * connection is noticed and a session that must be over is `lost`, which that client sees neither of. Closing closes it.
 *
 * `sync` is a transaction that changes nothing. `addAuth` resolves before a server has seen the credentials, which that
 * client does not tell of; refused ones lose the session. What it cannot do is rejected with code `unsupported`; the README
 * tells what the watchdog cannot make good.
 */
export function fromNodeZookeeperClient(
  client: NodeZookeeperClient,
  { tokenEpoch = 0 }: AdapterOptions = {},
): ZooKeeper {
  if (typeof client?.getSessionId !== 'function') {
    throw new InvalidArgumentError('client', 'a client made by createClient() of node-zookeeper-client', client);
  }
  checkTokenEpoch(tokenEpoch);
  const retries = client.options?.retries ?? 0;
  if (retries > 0)
    throw new InvalidArgumentError('client.options.retries', '0: it repeats writes that were done', retries);
  return new Client(new AdaptedSession(client), '', { tokenEpoch });
}
