import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

interface RelayOptions {
  readonly host?: string;
  /** Told what the server says. */
  readonly hear?: (bytes: Buffer) => void;
}

/** Hands on what it gets, from an address of any family: the links of a bed listen on 127.0.0.1 alone, and keep what they see. */
export async function relayTo(
  address: string,
  { host = '127.0.0.1', hear = () => undefined }: RelayOptions = {},
): Promise<AsyncDisposable & { readonly address: string }> {
  const [target = '', port] = address.split(':');
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), target).on('data', hear);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => other.destroy());
      socket.pipe(other);
    }
  });
  server.listen(0, host);
  await once(server, 'listening');
  const { address: name, family, port: own } = server.address() as AddressInfo;
  return {
    address: family === 'IPv6' ? `[${name}]:${own}` : `${name}:${own}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
