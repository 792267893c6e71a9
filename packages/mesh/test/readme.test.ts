import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bedTest } from '@quorate/testbed/vitest';
import { expect, onTestFinished } from 'vitest';
import { freePort } from './http-service.ts';

const test = bedTest({ consul: 1, envoy: true });

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const [first = '', second = ''] = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, program]) => program);

/** What a program of the README prints, with ports that are free here. */
async function run(program: string, env: Readonly<Record<string, string>>): Promise<string> {
  const ports = [...new Set(program.match(/\b(?:8080|8081|9191)\b/g))];
  let text = program.replace('sidecar: true', `sidecar: { port: ${await freePort()} }`);
  text = text.replace('{ upstreams:', `{ port: ${await freePort()}, upstreams:`);
  for (const port of ports) text = text.replaceAll(port, String(await freePort()));
  const args = ['--conditions=@quorate/source', '--input-type=module-typescript', '-e', text];
  const child = spawn(process.execPath, args, {
    // Here the package finds itself by its own name.
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let printed = '';
  child.stdout.on('data', (chunk) => {
    printed += chunk;
  });
  const [status] = await once(child, 'close', { signal: AbortSignal.timeout(60_000) });
  expect(status).toBe(0);
  return printed;
}

const lines = (program: string): number => program.trimEnd().split('\n').length;

test('register and watch, in ten lines', async ({ bed }) => {
  expect(lines(first)).toBeLessThanOrEqual(10);
  expect(await run(first, bed.environment)).toMatch(/^registered query-\S+-\d+\n\[ '127\.0\.0\.1:\d+' \]\n$/);
});

test('a mesh of two services, in thirty', async ({ bed }) => {
  expect(lines(second)).toBeLessThanOrEqual(30);
  expect(await run(second, bed.environment)).toMatch(/URI=spiffe:\/\/.*\/svc\/gateway\n403\n$/);
});
