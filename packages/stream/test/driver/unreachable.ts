import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** A place where no Kafka answers. */
export interface Place extends AsyncDisposable {
  readonly address: string;
}

async function listening(heard: (socket: Socket) => void): Promise<Place> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    heard(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** It was somebody's a moment ago. */
export async function nobody(): Promise<Place> {
  const place = await listening(() => {});
  await place[Symbol.asyncDispose]();
  return { ...place, async [Symbol.asyncDispose]() {} };
}

export const silent = (): Promise<Place> => listening((socket) => socket.resume());

const webServer = (): Promise<Place> =>
  listening((socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'));
  });

const hangingUp = (): Promise<Place> => listening((socket) => socket.resetAndDestroy());

/** Answers with these bytes, and goes on with as many more as are taken. */
const flooding = (head: readonly number[], more: number): Promise<Place> =>
  listening((socket) => {
    const rest = Buffer.alloc(64 * 1024, more);
    const flood = (): void => {
      while (!socket.destroyed && socket.write(rest));
    };
    socket.once('data', () => {
      socket.write(Buffer.from(head));
      socket.on('drain', flood);
      flood();
    });
  });

/** What no Kafka answers, and a library would wait for the end of. */
export const hostile = [
  ['frames of no length', () => flooding([0, 0, 0, 0], 0)],
  ['a frame of less than no length', () => flooding([255, 255, 255, 251], 1)],
  ['a frame of 2 GiB', () => flooding([127, 255, 255, 255], 1)],
] as const;

export const unreachable = [
  ['where nobody listens', nobody],
  ['where a program listens that says nothing', silent],
  ['where a web server answers', webServer],
  ['where every connection is reset', hangingUp],
] as const;
