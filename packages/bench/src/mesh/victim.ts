// An instance in a process of its own, to be killed: it serves, registers itself, and runs its sidecar.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Mesh } from '@quorate/mesh';

const [address = '', name = '', envoy = ''] = process.argv.slice(2);
const mesh = new Mesh({ address });
const server = createServer((_, response) => response.end('ok'));
server.listen(0, '127.0.0.1', async () => {
  const { port } = server.address() as AddressInfo;
  const instance = await mesh.register({ name, port, checks: [{ http: '/', interval: '1s' }], sidecar: true });
  await mesh.startSidecar(instance, { envoy, concurrency: 1 });
  console.log('ready');
});
