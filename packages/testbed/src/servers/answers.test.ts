import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answerOf, succeeds } from './answers.ts';

const server = createServer((request, response) => {
  if (request.url === '/moved') response.writeHead(302, { location: '/' }).end();
  else if (request.url === '/events') response.writeHead(200).write('event');
  else response.end('ok');
});
let origin = '';

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

test('a redirect is no success, and is not followed', async () => {
  expect(await answerOf(`${origin}/moved`, AbortSignal.timeout(5_000))).toBeUndefined();
  expect(await succeeds(`${origin}/moved`, AbortSignal.timeout(5_000))).toBe(false);
  expect(await answerOf(`${origin}/`, AbortSignal.timeout(5_000))).toBe('ok');
});

test('an answer of 200 is a success before its body ends', async () => {
  expect(await succeeds(`${origin}/events`, AbortSignal.timeout(5_000))).toBe(true);
  await expect(answerOf(`${origin}/events`, AbortSignal.timeout(100))).rejects.toThrow();
});

test('loopback is asked directly where the environment names a proxy', async () => {
  const answers = new URL('./answers.ts', import.meta.url).href;
  const source = `import { answerOf } from ${JSON.stringify(answers)};
    console.log(await answerOf('${origin}/', AbortSignal.timeout(5_000)));`;
  const proxy = 'http://127.0.0.1:9';
  const env = {
    ...process.env,
    NODE_USE_ENV_PROXY: '1',
    HTTP_PROXY: proxy,
    http_proxy: proxy,
    NO_PROXY: '',
    no_proxy: '',
  };
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', source], { env });
  expect(stdout).toBe('ok\n');
});
