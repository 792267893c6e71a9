import { once } from 'node:events';
import { connect } from 'node:net';

/** How many nodes and watches a server has, as it tells monitors. */
export async function leftBehind(address: string): Promise<{ readonly nodes: number; readonly watches: number }> {
  const [host, port] = address.split(':');
  const socket = connect(Number(port), host);
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.end('mntr');
  await once(socket, 'close');
  const number = (name: string): number => Number(new RegExp(`^${name}\\t(\\d+)`, 'm').exec(text)?.[1] ?? Number.NaN);
  return { nodes: number('zk_znode_count'), watches: number('zk_watch_count') };
}
