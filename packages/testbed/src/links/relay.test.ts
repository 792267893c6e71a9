import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { sleep } from '@quorate/core';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../eventually.ts';
import { Relay } from './relay.ts';

/** A server that sends back what it gets. */
async function echo(): Promise<string> {
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => undefined).pipe(socket));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('passes on and shows what is sent, for each connection by itself', async () => {
  const shown: string[] = [];
  let connections = 0;
  await using relay = await Relay.to(await echo(), () => {
    connections += 1;
    const name = connections;
    return {
      question: (bytes) => shown.push(`${name} asks ${bytes}`),
      answer: (bytes) => {
        shown.push(`${name} hears ${bytes}`);
        return 'pass';
      },
    };
  });
  for (const word of ['one', 'two']) {
    const socket = connect(relay.port, '127.0.0.1');
    socket.write(word);
    expect(String((await once(socket, 'data'))[0])).toBe(word);
    socket.destroy();
  }
  expect(shown).toEqual(['1 asks one', '1 hears one', '2 asks two', '2 hears two']);
});

test('an answer is held back until its connection is cut, or is lost with it', async () => {
  let fate: 'hold' | 'cut' = 'hold';
  const held = Promise.withResolvers<void>();
  const answer = (): 'hold' | 'cut' => {
    held.resolve();
    return fate;
  };
  await using relay = await Relay.to(await echo(), () => ({ answer }));
  const heard: string[] = [];
  const ask = (): Promise<unknown> => {
    const socket = connect(relay.port, '127.0.0.1').on('error', () => undefined);
    socket.on('data', (bytes) => heard.push(String(bytes))).write('question');
    return once(socket, 'close');
  };
  const closed = ask();
  await held.promise;
  relay.cut();
  await closed;
  fate = 'cut';
  await ask();
  expect(heard).toEqual([]);
});

test('behind an answer that is held back its sender has not ended either', async () => {
  const hangUp = serving((socket) => socket.on('data', () => socket.end('answer')));
  const held = Promise.withResolvers<void>();
  await using relay = await Relay.to(await hangUp, () => ({
    answer: () => {
      held.resolve();
      return 'hold';
    },
  }));
  const socket = connect(relay.port, '127.0.0.1').on('error', () => undefined);
  const ended = once(socket, 'close').then(() => 'ended');
  socket.write('question');
  await held.promise;
  // As long as the server's end takes to arrive where nothing is held.
  await using open = await Relay.to(await hangUp);
  await hears(open, 'question');
  await hears(open, 'question');
  expect(await Promise.race([ended, new Promise((resolve) => setImmediate(resolve, 'open'))])).toBe('open');
  relay.cut();
  expect(await ended).toBe('ended');
});

/** A server that does this with each connection. */
async function serving(on: (socket: Socket) => void): Promise<string> {
  const server = createServer({ allowHalfOpen: true }, (socket) => on(socket.on('error', () => undefined)));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** All that a client hears that says this and has nothing to add. */
async function hears({ port }: Relay, question: string): Promise<Buffer> {
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  client.end(question);
  return Buffer.concat(await client.toArray());
}

test('an answer arrives whole, in the end, at a client that has ended its side and reads late', async () => {
  const size = 32 * 1024 * 1024;
  let server: Socket | undefined;
  const address = await serving((socket) => {
    server = socket;
    socket.resume().on('end', () => socket.end(Buffer.alloc(size, 1)));
  });
  await using relay = await Relay.to(address);
  const client = connect({ port: relay.port, host: '127.0.0.1', allowHalfOpen: true }).pause();
  client.end('question');
  // The server is not rid of it while nobody reads: the relay does not hold it all in memory.
  await eventually('the server has sent what it can', async () => {
    const before = server?.bytesWritten;
    await sleep(100);
    return server !== undefined && server.writableLength > 0 && server.bytesWritten === before;
  });
  expect(server?.writableFinished).toBe(false);
  let length = 0;
  for await (const part of client) {
    length += part.length;
    // Slower than the relay: at its end there is something left to send.
    await new Promise(setImmediate);
  }
  expect(length).toBe(size);
});

test('a server that has ended its side still hears the client', async () => {
  const heard = Promise.withResolvers<Buffer>();
  const address = await serving(async (socket) => {
    socket.end('go on');
    heard.resolve(Buffer.concat(await socket.toArray()));
  });
  await using relay = await Relay.to(address);
  const client = connect({ port: relay.port, host: '127.0.0.1', allowHalfOpen: true }).resume();
  await once(client, 'end');
  client.end('late');
  expect(String(await heard.promise)).toBe('late');
});

const hasIPv6 = Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === '::1'));

test.runIf(hasIPv6)('leads to another relay, on IPv6', async () => {
  await using inner = await Relay.to(await echo(), undefined, { host: '::1' });
  expect(inner.address).toBe(`[::1]:${inner.port}`);
  await using outer = await Relay.to(inner.address);
  expect(String(await hears(outer, 'hello'))).toBe('hello');
});

test.each(['nonsense', '127.0.0.1', '127.0.0.1:0', '127.0.0.1:70000', '::1:80', 'http://a:80', 80])(
  '%j is refused as an address',
  async (address) => {
    await expect(Relay.to(address as string)).rejects.toMatchObject({ code: 'invalid-argument', argument: 'address' });
  },
);

test('a connection ends when its server does, or was never there', async () => {
  await using gone = await Relay.to(await serving((socket) => socket.resetAndDestroy()));
  await expect(hears(gone, 'question')).resolves.toHaveLength(0);
  await using relay = await Relay.to('127.0.0.1:9');
  await expect(hears(relay, 'question')).resolves.toHaveLength(0);
});

const mine = (): never => {
  throw new Error('mine');
};

test.each([
  ['passing', mine],
  ['question', () => ({ question: mine })],
  ['answer', () => ({ answer: mine })],
])('an error in %s ends its connection, and is told when the relay is disposed of', async (_what, passing) => {
  const relay = await Relay.to(await echo(), passing);
  await expect(hears(relay, 'question')).resolves.toHaveLength(0);
  await expect(relay[Symbol.asyncDispose]()).rejects.toThrow('mine');
});

test('is disposed of twice, and of open connections', async () => {
  const relay = await Relay.to(await echo());
  const client = connect(relay.port, '127.0.0.1').on('error', () => undefined);
  await once(client, 'connect');
  client.resume();
  await Promise.all([once(client, 'close'), relay[Symbol.asyncDispose]()]);
  await relay[Symbol.asyncDispose]();
});
