import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { Relay } from './relay.ts';

/** A server that sends back what it gets. */
async function echo(): Promise<string> {
  const server = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
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
