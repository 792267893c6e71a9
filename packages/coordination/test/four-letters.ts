import { once } from 'node:events';
import { connect } from 'node:net';

/** One of the numbers that a server gives to monitors. */
export async function mntr(address: string, name: string): Promise<number> {
  const [host, port] = address.split(':');
  const socket = connect(Number(port), host);
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.end('mntr');
  await once(socket, 'close');
  const found = new RegExp(`^${name}\\t(\\d+)`, 'm').exec(text)?.[1];
  if (found === undefined) throw new Error(`mntr does not tell of ${name}: ${text.slice(0, 200)}`);
  return Number(found);
}
