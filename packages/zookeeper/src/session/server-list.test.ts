import { expect, test } from 'vitest';
import { serverName } from '../connect-string.ts';
import { ServerList, type Servers } from './server-list.ts';

const { signal } = new AbortController();
const asking = { sessionTimeout: 1_000, signal };

async function round(list: ServerList, options = asking): Promise<{ names: string[][]; failure: string | undefined }> {
  const { servers, fallback, failure } = await list.round(options);
  return { names: [servers.map(serverName), fallback.map(serverName)], failure: failure?.message };
}

/** Gives one answer after the other; a function is called for it. */
function answers(...all: unknown[]): Exclude<Servers, string> {
  return (asked) => {
    const answer = all.length > 1 ? all.shift() : all[0];
    return typeof answer === 'function' ? answer(asked) : (answer as string);
  };
}

const hang = (): Promise<string> => new Promise(() => undefined);
const fail = (): never => {
  throw new Error('no registry');
};

test('the function is asked in each round', async () => {
  const list = new ServerList(answers('a/app', Promise.resolve('b:1,c/app'), 'd/app'));
  expect(await round(list)).toEqual({ names: [['a:2181'], []], failure: undefined });
  expect(await round(list)).toEqual({ names: [['b:1', 'c:2181'], []], failure: undefined });
  expect(await round(list)).toEqual({ names: [['d:2181'], []], failure: undefined });
  expect(list.chroot).toBe('/app');
});

test.each([
  ['throws', fail, 'servers: the function has failed (no registry)'],
  ['rejects', async () => fail(), 'servers: the function has failed (no registry)'],
  [
    'gives nonsense',
    'zk 1',
    expect.stringContaining('servers: the function has given what is no list (servers: expected'),
  ],
  ['gives something else', 5, expect.stringContaining('has given what is no list')],
  ['gives another chroot', 'b/other', 'servers: the function has given the chroot /other; it was /app, and stays so'],
  ['gives no chroot', 'b', 'servers: the function has given the chroot /; it was /app, and stays so'],
  ['hangs', hang, 'servers: the function has not answered within 100 ms'],
])('the last list is used when it %s, and that is told', async (_, answer, failure) => {
  const list = new ServerList(answers('a/app', answer));
  await round(list);
  expect(await round(list)).toEqual({ names: [['a:2181'], []], failure });
  expect(list.chroot).toBe('/app');
});

test('what comes too late for its round is used in the next one, which does not ask a second time', async () => {
  const late = Promise.withResolvers<string>();
  let calls = 0;
  const list = new ServerList(() => {
    calls += 1;
    return calls === 1 ? 'a' : late.promise;
  });
  await round(list);
  expect((await round(list)).names).toEqual([['a:2181'], []]);
  setTimeout(() => late.resolve('b'), 20);
  expect(await round(list)).toEqual({ names: [['b:2181'], []], failure: undefined });
  expect(calls).toBe(2);
});

test('one that hangs is told to stop when its time is up, and is asked again', async () => {
  const signals: AbortSignal[] = [];
  const list = new ServerList(({ signal: given }) => {
    signals.push(given);
    return signals.length < 3 ? hang() : 'a';
  });
  const short = { sessionTimeout: 200, signal };
  const names: string[] = [];
  while (names.length === 0) names.push(...((await round(list, short)).names[0] ?? []));
  expect(names).toEqual(['a:2181']);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, false]);
});

test('who stops connecting does not wait for the answer, and it is told so', async () => {
  const controller = new AbortController();
  let given: AbortSignal | undefined;
  const list = new ServerList((asked) => {
    given = asked.signal;
    return hang();
  });
  const waiting = round(list, { sessionTimeout: 60_000, signal: controller.signal });
  controller.abort();
  expect((await waiting).names).toEqual([[], []]);
  expect(given?.aborted).toBe(true);
});

test.each(['', 'zk 1', 'a/b/', 5, undefined])('a first list %j is refused as a string would be', async (answer) => {
  await expect(round(new ServerList(answers(answer)))).rejects.toMatchObject({
    code: 'invalid-argument',
    argument: expect.stringContaining('servers'),
  });
});

test('a function that fails at first is asked again', async () => {
  const list = new ServerList(answers(fail, 'a'));
  expect(await round(list)).toMatchObject({ names: [[], []], failure: expect.stringContaining('no registry') });
  expect((await round(list)).names).toEqual([['a:2181'], []]);
});

test('members that the ensemble tells of come first, then those of the list that are not among them', async () => {
  const list = new ServerList('a,b,c/app');
  list.follow([
    { host: 'b', port: 2181 },
    { host: 'd', port: 2181 },
  ]);
  expect((await round(list)).names).toEqual([
    ['b:2181', 'd:2181'],
    ['a:2181', 'c:2181'],
  ]);
});
