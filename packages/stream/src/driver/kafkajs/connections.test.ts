import { sleep } from '@quorate/core';
import { eventually } from '@quorate/testbed';
import { expect, test } from 'vitest';
import { Connections, neverSent } from './connections.ts';
import type { ConnectionPool, KafkajsCluster, ProtocolRequest } from './kafkajs-package.ts';

const settings = {
  brokers: ['127.0.0.1:1'],
  clientId: 'test',
  tls: undefined,
  sasl: undefined,
  connectTimeout: 100,
  requestTimeout: 40,
  deliveryTimeout: 100,
};

/** As the package makes them, as far as it matters here. */
async function mended(given: { connect?: () => Promise<unknown>; send?: ConnectionPool['send'] }) {
  const inflight = new Map<number, { sentAt: number; requestTimeout: number; timeoutRequest: () => void }>();
  const requestQueue = {
    pending: [],
    inflight,
    throttledUntil: -1,
    throttleCheckTimeoutId: null as NodeJS.Timeout | null,
    requestTimeoutIntervalId: undefined as NodeJS.Timeout | undefined,
    isConnected: () => true,
    scheduleRequestTimeoutCheck: () => {},
    checkPendingRequests: () => {},
    scheduleCheckPendingRequests: () => {},
    destroy: () => clearInterval(requestQueue.requestTimeoutIntervalId),
  };
  const pool = {
    host: '127.0.0.1',
    port: 1,
    pool: [{ connect: async () => {}, requestQueue, ...given }],
    send: async () => {},
    destroy: async () => {},
    ...given,
  };
  const connectionPoolBuilder = { build: async (): Promise<ConnectionPool> => pool };
  new Connections(settings).mend({ connectionPoolBuilder } as unknown as KafkajsCluster);
  await connectionPoolBuilder.build();
  return { pool: pool as ConnectionPool, requestQueue, inflight };
}

const request: ProtocolRequest = {
  request: {
    apiKey: 12,
    apiVersion: 3,
    apiName: 'Heartbeat',
    encode: async () => ({ buf: Buffer.alloc(0), buffer: Buffer.alloc(0) }),
  },
  response: { decode: async () => {}, parse: async () => {} },
};

test('requests at the same time connect once', async () => {
  let connects = 0;
  const connect = async (): Promise<void> => {
    connects += 1;
    await sleep(1);
  };
  const { pool } = await mended({ connect });
  await Promise.all([pool.pool[0]?.connect(), pool.pool[0]?.connect()]);
  expect(connects).toBe(1);
  await pool.pool[0]?.connect();
  expect(connects).toBe(2);
});

test('an answer is late when it was at two looks: it may lie there unread at the first', async () => {
  const { requestQueue, inflight } = await mended({});
  requestQueue.scheduleRequestTimeoutCheck();
  let late = 0;
  const asked = (id: number): void => {
    const timeoutRequest = (): void => {
      late += 1;
      inflight.delete(id);
    };
    inflight.set(id, { sentAt: Date.now() - 1_000, requestTimeout: 40, timeoutRequest });
  };
  try {
    asked(1);
    const until = performance.now() + 30;
    while (performance.now() < until);
    // What the socket has comes after the timers.
    setImmediate(() => inflight.delete(1));
    await sleep(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(late).toBe(0);
    asked(2);
    await eventually('it is late', () => late === 1);
  } finally {
    requestQueue.destroy();
  }
});

test('no timer is set where nothing is throttled', async () => {
  const { requestQueue } = await mended({});
  requestQueue.scheduleCheckPendingRequests();
  expect(requestQueue.throttleCheckTimeoutId).toBeNull();
});

test('it is known whether a request that failed was ever sent', async () => {
  const away = new Error('nobody is there');
  const { pool } = await mended({ send: () => Promise.reject(away) });
  await expect(pool.send(request)).rejects.toBe(away);
  expect(neverSent(away)).toBe(true);
  const gone = new Error('the connection broke');
  const send: ConnectionPool['send'] = async (asked) => {
    await asked.request.encode();
    throw gone;
  };
  await expect((await mended({ send })).pool.send(request)).rejects.toBe(gone);
  expect(neverSent(gone)).toBe(false);
});
