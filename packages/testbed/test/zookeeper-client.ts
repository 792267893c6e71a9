import { createRequire } from 'node:module';

/** The part of node-zookeeper-client that the tests use; the package has no types. */
interface Client {
  once(event: 'connected', listener: () => void): void;
  connect(): void;
  close(): void;
  create(path: string, data: Buffer, callback: (error: Error | null) => void): void;
  getData(path: string, callback: (error: Error | null, data?: Buffer) => void): void;
}

const { createClient } = createRequire(import.meta.url)('node-zookeeper-client') as {
  createClient(url: string): Client;
};

/** A connected client of ZooKeeper that is none of ours, with promises. */
export async function zookeeperClient(url: string): Promise<
  Disposable & {
    create(path: string, data: string): Promise<void>;
    /** Undefined where there is no such node. */
    get(path: string): Promise<string | undefined>;
  }
> {
  const client = createClient(url);
  await new Promise<void>((done) => {
    client.once('connected', done);
    client.connect();
  });
  return {
    create: (path, data) =>
      new Promise((done, fail) => client.create(path, Buffer.from(data), (error) => (error ? fail(error) : done()))),
    get: (path) => new Promise((done) => client.getData(path, (_error, data) => done(data?.toString()))),
    [Symbol.dispose]: () => client.close(),
  };
}
