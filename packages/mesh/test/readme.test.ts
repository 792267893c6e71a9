import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { freePort } from './http-service.ts';
import { shared } from './town.ts';

const { consul: QUORATE_CONSUL, envoy: QUORATE_ENVOY } = shared();

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const [first = '', second = ''] = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, program]) => program);

/** What a program of the README prints, with ports that are free here. */
async function run(program: string): Promise<string> {
  const ports = [...new Set(program.match(/\b(?:8080|8081|9191)\b/g))];
  let text = program.replace('sidecar: true', `sidecar: { port: ${await freePort()} }`);
  text = text.replace('{ upstreams:', `{ port: ${await freePort()}, upstreams:`);
  for (const port of ports) text = text.replaceAll(port, String(await freePort()));
  const args = ['--conditions=@quorate/source', '--input-type=module-typescript', '-e', text];
  const child = spawn(process.execPath, args, {
    // Here the package finds itself by its own name.
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, QUORATE_CONSUL, QUORATE_ENVOY },
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  let printed = '';
  child.stdout.on('data', (chunk) => {
    printed += chunk;
  });
  const [status] = await once(child, 'close', { signal: AbortSignal.timeout(60_000) });
  expect(status).toBe(0);
  return printed;
}

const lines = (program: string): number => program.trimEnd().split('\n').length;

test('register and watch, in ten lines', async () => {
  expect(lines(first)).toBeLessThanOrEqual(10);
  expect(await run(first)).toMatch(/^registered query-\S+-\d+\n\[ '127\.0\.0\.1:\d+' \]\n$/);
});

test('a mesh of two services, in thirty', async () => {
  expect(lines(second)).toBeLessThanOrEqual(30);
  expect(await run(second)).toMatch(/URI=spiffe:\/\/.*\/svc\/gateway\n403\n$/);
});
