import { connect } from '@quorate/zookeeper';
import { serve } from './node-peer.ts';

await serve(async () => {
  const zk = await connect(process.argv[2] ?? '', { sessionTimeout: 20_000 });
  return {
    get: (path) => zk.get(path),
    set: (path, data) => zk.set(path, data),
    create: (path, data) => zk.create(path, data),
    delete: (path) => zk.delete(path),
    watch: (path, changed) => zk.get(path, { watch: changed }),
    close: () => zk.close(),
  };
});
