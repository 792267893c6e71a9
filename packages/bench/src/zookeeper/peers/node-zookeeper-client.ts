import { createRequire } from 'node:module';
import { serve } from './node-peer.ts';

type Callback = (error: Error | null, result?: unknown) => void;

/** The part of node-zookeeper-client that is measured; the package has no types. */
interface Raw {
  once(event: 'connected', listener: () => void): void;
  connect(): void;
  close(): void;
  getData(path: string, watcher: (() => void) | null, callback: Callback): void;
  setData(path: string, data: Buffer, callback: Callback): void;
  create(path: string, data: Buffer, callback: Callback): void;
  remove(path: string, callback: Callback): void;
}

const { createClient } = createRequire(import.meta.url)('node-zookeeper-client') as {
  createClient(url: string, options: { sessionTimeout: number }): Raw;
};

const promised = (call: (callback: Callback) => void): Promise<unknown> =>
  new Promise((resolve, reject) => call((error, result) => (error ? reject(error) : resolve(result))));

await serve(async () => {
  const raw = createClient(process.argv[2] ?? '', { sessionTimeout: 20_000 });
  await new Promise<void>((connected) => {
    raw.once('connected', connected);
    raw.connect();
  });
  return {
    get: (path) => promised((done) => raw.getData(path, null, done)),
    set: (path, data) => promised((done) => raw.setData(path, data, done)),
    create: (path, data) => promised((done) => raw.create(path, data, done)),
    delete: (path) => promised((done) => raw.remove(path, done)),
    watch: (path, changed) => promised((done) => raw.getData(path, changed, done)),
    close: async () => raw.close(),
  };
});
