import { createSocket } from 'node:dgram';
import { onTestFinished, test } from 'vitest';
import { Ports } from '../processes/ports.ts';
import type { Link } from './link.ts';
import { Reception } from './reception.ts';

test('a datagram that is still on its way when the bed has stopped is lost', async () => {
  const ports = new Ports();
  onTestFinished(() => ports.release());
  const host = { name: 'consul-1', known: '127.0.0.1', bound: '127.0.0.2', port: await ports.claim() };
  const late = Promise.withResolvers<() => void>();
  const link = { post: (_: string, deliver: () => void) => late.resolve(deliver) } as unknown as Link;
  const gossip = await ports.claim();
  const reception = await Reception.open({ ...host, gossip }, [{ name: 'consul-2', from: '127.0.0.1', link }]);
  const sender = createSocket('udp4');
  sender.send('hello', gossip, host.known);
  const deliver = await late.promise;
  sender.close();
  reception.close();
  deliver();
});
