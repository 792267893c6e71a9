import { EventEmitter, once } from 'node:events';
import { expect, test } from 'vitest';
import type { Connection } from '../connection.ts';
import { OutboxRelay } from './relay.ts';

/** As a client of `pg` is: it emits an error when its connection ends, and every query after it fails. */
class Client extends EventEmitter {
  ended = false;

  async query(text: string): Promise<{ readonly rows: readonly unknown[] }> {
    if (this.ended) throw new Error('Client has encountered a connection error and is not queryable');
    this.emit('query', text);
    return { rows: text.includes('lock') ? [{ locked: true }] : [] };
  }

  lose(): void {
    this.ended = true;
    this.emit('error', new Error('terminating connection due to administrator command'));
  }
}

test('a connection that ends while nothing is asked of it does not end the process: there is another one', async () => {
  const clients: Client[] = [];
  const connected = new EventEmitter();
  const connect = (): Client => {
    const client = new Client();
    clients.push(client);
    client.once('query', () => connected.emit('at work'));
    return client;
  };
  const connection = { open: async () => ({}) } as unknown as Connection;
  await using relay = new OutboxRelay(connection, 'outbox', { connect, every: 1 });
  const first = once(connected, 'at work');
  await relay.start(new AbortController().signal);
  await first;
  const second = once(connected, 'at work');
  clients[0]?.lose();
  await second;
  expect(clients).toHaveLength(2);
});
