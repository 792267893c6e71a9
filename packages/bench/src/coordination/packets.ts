import { once } from 'node:events';
import { connect } from 'node:net';

/**
 * How many packets a server has received from clients. Asking counts as one. Pings count as well; sessions of 10 s that
 * have something to do send none.
 */
async function packetsReceived(address: string): Promise<number> {
  const [host, port] = address.split(':');
  const socket = connect(Number(port), host);
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.end('srvr');
  await once(socket, 'close');
  return Number(/^Received: (\d+)/m.exec(text)?.[1]);
}

/** What `work` gives, and how many packets the server has received for it. */
export async function withPackets<Result>(
  address: string,
  work: () => Promise<Result>,
): Promise<Result & { readonly packets: number }> {
  const before = await packetsReceived(address);
  const result = await work();
  return { ...result, packets: (await packetsReceived(address)) - before - 1 };
}
