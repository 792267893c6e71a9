import type { Kafka } from 'kafkajs';
import type { Address } from '../wire.ts';

/** A connection as the package's pool of a broker makes them. Its types do not know it, and it stays as it is: the package is no longer released. */
export interface KafkajsConnection {
  /** How to log in: nobody does without. */
  sasl: unknown;
  /** In milliseconds, as the broker said when it let us in; 0 when that ends with the connection. A number of a class of the package. */
  readonly sessionLifetime: { toNumber(): number };
  readonly requestQueue: { scheduleCheckPendingRequests(): void };
  connect(): Promise<unknown>;
  /** Which versions of requests it may log in with, by their key. */
  setVersions(versions: Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number }>>): void;
  setSupportAuthenticationProtocol(isSupported: boolean): void;
  /** Nothing, where there is no login. */
  authenticate(): Promise<void>;
  send(asked: {
    readonly request: {
      readonly apiKey: number;
      readonly apiVersion: number;
      readonly apiName: string;
      encode(): Promise<{ readonly buf: Buffer; readonly buffer: Buffer }>;
    };
    readonly response: {
      decode(bytes: Buffer): Promise<Buffer>;
      parse(decoded: Buffer): Promise<Buffer>;
    };
  }): Promise<Buffer>;
}

interface Cluster {
  readonly connectionPoolBuilder: {
    build(at: Address): Promise<{ readonly pool: readonly KafkajsConnection[] }>;
  };
}

/** Not connected yet. */
export async function connectionOf(client: Kafka, address: Address): Promise<KafkajsConnection> {
  const { pool } = await clusterOf(client).connectionPoolBuilder.build(address);
  const [connection] = pool;
  if (!connection) throw new TypeError('kafkajs makes no connection');
  mend(connection);
  return connection;
}

/** The package gives its cluster to whoever decides about the partitions of a group. This consumer never joins one. */
function clusterOf(client: Kafka): Cluster {
  let found: unknown;
  client.consumer({
    groupId: 'none',
    allowAutoTopicCreation: false,
    partitionAssigners: [
      ({ cluster }) => {
        found = cluster;
        return {
          name: 'none',
          version: 0,
          assign: async () => [],
          protocol: () => ({ name: 'none', metadata: Buffer.alloc(0) }),
        };
      },
    ],
  });
  return found as Cluster;
}

const [saslHandshake, saslAuthenticate] = [17, 36];

function mend(connection: KafkajsConnection): void {
  // As every broker has them that we speak to: the package would ask, and has another place for that.
  const versions = { minVersion: 0, maxVersion: 1 };
  connection.setVersions({ [saslHandshake]: versions, [saslAuthenticate]: versions });
  connection.setSupportAuthenticationProtocol(true);
  // After every answer the package sets a timer, with a time that has long passed: Node.js warns of it (TimeoutNegativeWarning).
  // Nothing ever waits for it, because no answer tells the package that it is to slow down.
  connection.requestQueue.scheduleCheckPendingRequests = () => {};
}
