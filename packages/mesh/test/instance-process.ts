// An instance in a process of its own, to be killed: it serves, registers itself, and runs its sidecar.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Mesh } from '../src/index.ts';

const [address = '', name = '', sidecarPort = '', envoy = ''] = process.argv.slice(2);
const mesh = new Mesh({ address });
const server = createServer((_, response) => response.end(String(process.pid)));
server.listen(0, '127.0.0.1', async () => {
  const { port } = server.address() as AddressInfo;
  const instance = await mesh.register({
    name,
    port,
    checks: [{ http: '/', interval: '1s' }],
    sidecar: { port: Number(sidecarPort) },
  });
  const sidecar = await mesh.startSidecar(instance, { envoy, concurrency: 1 });
  console.log(JSON.stringify({ id: instance.id, envoy: await sidecar.pid() }));
});
