import { setImmediate } from 'node:timers/promises';
import { isQuorateError } from '@quorate/core';
import { expect, test } from 'vitest';
import { type Answer, type InProcess, inProcess, notified, type Question } from './index.ts';

interface Asked {
  readonly question: Question;
  answered(answer: Answer): void;
}

/** Servers that answer when they are told to. */
function stubborn(): InProcess & { readonly asked: Asked[]; ended: number } {
  const asked: Asked[] = [];
  const session = inProcess({
    id: 7n,
    sessionTimeout: 10_000,
    ask: (question, answered) => void asked.push({ question, answered }),
    end: async () => {
      servers.ended += 1;
    },
  });
  const servers = { ...session, asked, ended: 0 };
  return servers;
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return isQuorateError(error) ? error.code : `not one of ours: ${error}`;
}

test('asks what was called for, with the mode and the data as they were then', async () => {
  const { zk, asked } = stubborn();
  const data = Buffer.from('now');
  const pending = [
    zk.create('/a', data, { ttl: 5 }),
    zk.create('/b', '', { mode: 'ephemeral-sequential', protected: false }),
    zk.transaction().create('/c', '', { mode: 'container' }).check('/d').delete('/d', { version: 0 }).commit(),
    zk.readMany([{ get: '/e' }, { children: '/f' }]),
  ];
  data.write('not');
  for (const each of pending) each.catch(() => undefined);
  const acl = [{ permissions: 'all', scheme: 'world', id: 'anyone' }];
  const none = Buffer.alloc(0);
  expect(asked.map(({ question }) => question)).toEqual([
    { kind: 'create', path: '/a', data: Buffer.from('now'), acl, mode: 'persistent', ttl: 5 },
    { kind: 'create', path: '/b', data: none, acl, mode: 'ephemeral-sequential', ttl: undefined },
    {
      kind: 'transaction',
      steps: [
        { kind: 'create', path: '/c', data: none, acl, mode: 'container', ttl: undefined },
        { kind: 'check', path: '/d', version: undefined },
        { kind: 'delete', path: '/d', version: 0 },
      ],
    },
    {
      kind: 'readMany',
      reads: [
        { kind: 'get', path: '/e' },
        { kind: 'children', path: '/f' },
      ],
    },
  ]);
});

test('a refusal is the error that a server of the network would have made', async () => {
  const { zk, asked } = stubborn();
  const pending = [
    zk.get('/a'),
    zk.transaction().check('/a').delete('/b').commit(),
    zk.readMany([{ get: '/c' }]),
  ] as const;
  asked[0]?.answered({ zxid: 1n, refusal: { code: -101 } });
  asked[1]?.answered({ zxid: 1n, refusal: { code: -111, index: 1 } });
  asked[2]?.answered({ zxid: 1n, value: [{ code: -102 }] });
  await expect(pending[0]).rejects.toMatchObject({ name: 'NoNodeError', path: '/a' });
  await expect(pending[1]).rejects.toMatchObject({ name: 'TransactionError', index: 1, code: 'not-empty' });
  expect(await pending[2]).toMatchObject([{ error: { name: 'NoAuthError', path: '/c', operation: 'get' } }]);
});

test('the answers of a connection that is gone are not heard, nor its events', async () => {
  const session = stubborn();
  const { zk, asked } = session;
  const write = codeOf(zk.set('/a', ''));
  const read = zk.exists('/a', { watch: () => expect.unreachable() });
  session.disconnected();
  for (const { answered } of asked.splice(0)) answered({ zxid: 1n, value: undefined });
  session.notified({ type: notified.changed, path: '/a' });
  expect(await write).toBe('ambiguous');
  expect(asked).toEqual([]);
  session.reconnected();
  expect(asked.map(({ question }) => question.kind)).toEqual(['replaceWatches']);
  expect(zk.state).toBe('suspended');
  asked.shift()?.answered({ zxid: 1n, value: undefined });
  expect(zk.state).toBe('connected');
  expect(asked.map(({ question }) => question.kind)).toEqual(['exists']);
  asked.shift()?.answered({ zxid: 1n, refusal: { code: -101 } });
  expect(await read).toBeUndefined();
});

test('a connection that is cut before the watches are back is none', async () => {
  const session = stubborn();
  const states: string[] = [];
  session.zk.on('state', (state) => states.push(state));
  session.disconnected();
  session.reconnected();
  session.disconnected();
  session.asked.shift()?.answered({ zxid: 1n, value: undefined });
  session.reconnected();
  expect(states).toEqual(['suspended']);
  session.asked.shift()?.answered({ zxid: 1n, value: undefined });
  expect(states).toEqual(['suspended', 'connected']);
});

test('closing while cut off ends the session on the servers without asking', async () => {
  const session = stubborn();
  const closing = session.zk.close();
  session.disconnected();
  await closing;
  expect([session.ended, session.zk.state]).toEqual([1, 'closed']);
});

test('a tree that was deleted in part is not said to be as it was', async () => {
  const { zk, asked } = stubborn();
  const answers: Record<string, Answer[]> = {
    'children /t': [
      { zxid: 1n, value: { names: ['a'] } },
      { zxid: 1n, value: { names: [] } },
    ],
    'children /t/a': [{ zxid: 1n, value: { names: [] } }],
    'delete /t/a': [{ zxid: 2n, value: undefined }],
    'delete /t': [
      { zxid: 2n, refusal: { code: -103 } },
      { zxid: 2n, refusal: { code: -103 } },
    ],
  };
  const deleting = async (): Promise<unknown> => {
    const outcome = zk.delete('/t', { recursive: true, version: 7 }).catch((error: unknown) => error);
    for (let settled = false; !settled; ) {
      for (const { question, answered } of asked.splice(0)) {
        answered(answers[`${question.kind} ${'path' in question ? question.path : ''}`]?.shift() as Answer);
      }
      settled = await Promise.race([outcome.then(() => true), setImmediate(false)]);
    }
    return outcome;
  };
  expect(await deleting()).toMatchObject({ code: 'bad-version', happened: 'unknown' });
  expect(await deleting()).toMatchObject({ code: 'bad-version', happened: 'no' });
});
