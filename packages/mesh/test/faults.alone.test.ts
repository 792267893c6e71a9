import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { inspect, promisify } from 'node:util';
import { type Component, sleep } from '@quorate/core';
import { eventually } from '@quorate/testbed';
import { afterAll, expect, onTestFinished, test, vi } from 'vitest';
import { defaults, Mesh, type SidecarEvent, type SidecarFailedError } from '../src/index.ts';
import { EnvoyAdmin } from '../src/sidecar/envoy-admin.ts';
import { codeOf, freePort } from './http-service.ts';
import { ask, settle, shared } from './town.ts';

const { consul } = shared();

// A place of our own for temporary files: what others leave there is none of our business.
const temporary = mkdtempSync(join(tmpdir(), 'quorate-mesh-faults-'));
process.env.TMPDIR = temporary;
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

interface Running {
  readonly child: ChildProcess;
  readonly id: string;
  readonly envoy: number;
}

async function instanceProcess(url: string, name: string, envoy: string): Promise<Running> {
  const program = fileURLToPath(new URL('instance-process.ts', import.meta.url));
  const args = ['--conditions=@quorate/source', program, url, name, String(await freePort()), envoy];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line', { signal: AbortSignal.timeout(60_000) });
  return { child, ...(JSON.parse(line) as { id: string; envoy: number }) };
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The shell that started an Envoy, and leads a group with it. */
async function guardOf(envoy: number): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'ppid=', '-p', String(envoy)]);
  return Number(stdout);
}

/** The two processes that wait beside an Envoy for its program to end, one in the other. */
async function waitersOf(envoy: number): Promise<[outer: number, inner: number]> {
  const { stdout } = await promisify(execFile)('ps', ['-e', '-o', 'pid=,ppid=']);
  const processes = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const childOf = (parent: number): number =>
    processes.find(([pid, ppid]) => ppid === parent && pid !== envoy)?.[0] as number;
  const outer = childOf(await guardOf(envoy));
  return [outer, childOf(outer)];
}

test('kill -9 of an instance under load: gone from the watch within the check interval and 1 s, from Envoy within one more; its Envoy too', async () => {
  const mesh = new Mesh({ address: consul });
  const { envoy } = shared();
  await mesh.config.put(defaults('mortal', { protocol: 'http' }));
  const [first, second] = await Promise.all([
    instanceProcess(consul, 'mortal', envoy),
    instanceProcess(consul, 'mortal', envoy),
  ]);
  const guard = await guardOf(first.envoy);
  const gateway = await settle(mesh, 'mourner', { envoy, to: ['mortal'] });
  const url = gateway.upstream.mortal as string;
  const admin = new EnvoyAdmin(gateway.sidecar.adminSocket as string);
  await eventually('both serve', async () => (await admin.endpoints('mortal')) === 2);
  await using watch = mesh.watch('mortal', { passing: true });
  await eventually('both are seen', () => watch.latest?.length === 2);

  const stop = new AbortController();
  let lastFailure = 0;
  let answered = 0;
  const load = (async () => {
    while (!stop.signal.aborted) {
      if ((await ask(url)).status === 200) answered += 1;
      else lastFailure = performance.now();
    }
  })();
  first.child.kill('SIGKILL');
  const killed = performance.now();
  await eventually('gone from the watch', () => watch.latest?.length === 1);
  const fromWatch = performance.now() - killed;
  await eventually('gone from Envoy', async () => (await admin.endpoints('mortal')) === 1);
  const fromEnvoy = performance.now() - killed;
  // Envoy tells its workers of such changes at most once a second.
  await eventually('requests meet nobody dead', () => performance.now() - Math.max(lastFailure, killed) > 1_000);
  stop.abort();
  await load;
  expect(answered).toBeGreaterThan(10);
  expect(lastFailure - killed).toBeLessThan(3_000);
  // The interval of its check is 1 s; Envoy puts together what changes within a second.
  expect(fromWatch).toBeLessThan(2_000);
  expect(fromEnvoy).toBeLessThan(3_000);
  expect(watch.latest?.[0]?.id).toBe(second.id);
  await eventually('its Envoy is gone as well', () => !lives(first.envoy), { within: 10_000 });
  await eventually('and all of its group', () => !lives(-guard), { within: 2_000 });
  expect(lives(second.envoy)).toBe(true);
  // Also when one was killed before that waits for this.
  const [waiter] = await waitersOf(second.envoy);
  process.kill(waiter, 'SIGKILL');
  second.child.kill('SIGKILL');
  await eventually('the Envoy of the other one is gone', () => !lives(second.envoy), { within: 10_000 });
});

test('Envoy killed, or what guards it: started again, ready, and it serves as before; paused, it is not well', async () => {
  const mesh = new Mesh({ address: consul });
  const { envoy } = shared();
  await settle(mesh, 'behind', { envoy });
  const front = await settle(mesh, 'front', { envoy, to: ['behind'] });
  const url = front.upstream.behind as string;
  await eventually('traffic', async () => (await ask(url)).status === 200);
  for (const [restarts, victim] of [
    [1, 'envoy'],
    [2, 'guard'],
    [3, 'waiter'],
  ] as const) {
    const pid = (await front.sidecar.pid()) as number;
    const guard = await guardOf(pid);
    const [, waiter] = await waitersOf(pid);
    process.kill({ envoy: pid, guard, waiter }[victim], 'SIGKILL');
    await eventually('started again', () => front.sidecar.restarts === restarts && front.sidecar.state === 'ready');
    await eventually('nothing is left of the one before', () => !lives(-guard), { within: 2_000 });
    expect(await ask(url)).toEqual({ status: 200, text: 'behind' });
  }
  const pid = (await front.sidecar.pid()) as number;
  expect(front.sidecar.health().status).toBe('pass');
  process.kill(pid, 'SIGSTOP');
  await eventually('it does not answer', () => front.sidecar.health().status === 'fail');
  process.kill(pid, 'SIGCONT');
  await eventually('it answers again', () => front.sidecar.health().status === 'pass');
  expect(front.sidecar.restarts).toBe(3);
});

test('stopping lets requests on their way through, and leaves nothing', async () => {
  const mesh = new Mesh({ address: consul });
  const { envoy } = shared();
  const arrived = Promise.withResolvers<void>();
  const leave = Promise.withResolvers<void>();
  await mesh.config.put(defaults('slow', { protocol: 'http' }));
  await settle(mesh, 'slow', {
    envoy,
    answer: async (request, response) => {
      if (request.url === '/wait') {
        arrived.resolve();
        await leave.promise;
      }
      response.end('done');
    },
  });
  const before = await folders();
  const hasty = await settle(mesh, 'hasty', { envoy, to: ['slow'], drain: '20s' });
  const url = hasty.upstream.slow as string;
  await eventually('traffic', async () => (await ask(url)).status === 200);
  const pid = (await hasty.sidecar.pid()) as number;
  const answer = ask(`${url}/wait`, { signal: AbortSignal.timeout(10_000) });
  await arrived.promise;
  // A drain that was given up, and one that is under way: `stop` waits all the same.
  const abort = new AbortController();
  const givenUp = hasty.sidecar.drain({ signal: abort.signal });
  abort.abort(new Error('enough'));
  await expect(givenUp).rejects.toThrow('enough');
  let drains = 0;
  const hear = (message: unknown): void => {
    if ((message as SidecarEvent).event === 'draining') drains += 1;
  };
  subscribe('quorate.mesh.sidecar', hear);
  onTestFinished(() => void unsubscribe('quorate.mesh.sidecar', hear));
  const drained = hasty.sidecar.drain();
  const stopped = hasty.sidecar.stop();
  await eventually('both drain', () => drains === 2, { within: 5_000 });
  leave.resolve();
  expect(await answer).toEqual({ status: 200, text: 'done' });
  await Promise.all([drained, stopped]);
  expect(lives(pid)).toBe(false);
  expect(await folders()).toEqual(before);
});

test('a program that keeps asking others stops as fast as one that does not; and starts again', async () => {
  const mesh = new Mesh({ address: consul });
  const { envoy } = shared();
  await mesh.config.put(defaults('asked', { protocol: 'http' }));
  await settle(mesh, 'asked', { envoy });
  const dripping = Promise.withResolvers<void>();
  const plainly = await settle(mesh, 'asked-plainly', {
    envoy,
    drain: '20s',
    answer: (request, response) => {
      if (request.url !== '/drip') return response.end();
      let drops = 0;
      const drip = setInterval(() => {
        response.write('.');
        dripping.resolve();
        drops += 1;
        if (drops < 10) return;
        clearInterval(drip);
        response.end();
      }, 200);
    },
  });
  const asker = await settle(mesh, 'asker', { envoy, to: ['asked', 'asked-plainly'], drain: '20s' });
  const stop = new AbortController();
  let answered = 0;
  const polls = Object.entries(asker.upstream).map(async ([name, url]) => {
    await asker.sidecar.reaches(name);
    while (!stop.signal.aborted) {
      if ((await ask(url)).status === 200) answered += 1;
      await sleep(10);
    }
  });
  await eventually('it asks', () => answered > 20);
  const component: Component = asker.sidecar;
  expect([component.name, component.health?.().status]).toEqual([asker.sidecar.proxyId, 'pass']);
  const begin = performance.now();
  await component.stop();
  // Nobody asks it, and that it waits for: 1.2 s.
  expect(performance.now() - begin).toBeLessThan(6_000);
  expect(component.health?.().status).toBe('fail');
  const before = answered;
  await component.start(new AbortController().signal);
  await eventually('it asks again', () => answered > before);
  stop.abort();
  await Promise.all(polls);
  // An answer over TCP that is still on its way, of which Envoy knows bytes alone, is let through.
  const answer = ask(`${asker.upstream['asked-plainly']}/drip`);
  await dripping.promise;
  await plainly.sidecar.stop();
  expect(await answer).toEqual({ status: 200, text: '.'.repeat(10) });
});

/** Where sidecars keep their bootstraps. */
async function folders(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith('quorate-sidecar-')).sort();
}

async function fakeEnvoy(script: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-fake-envoy-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'envoy');
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

const saysIts = (version: string): string =>
  `[ "$1" = --version ] && { echo "envoy  version: abc123/${version}/Clean/RELEASE/BoringSSL"; exit 0; }`;

test('a pairing that nobody has tried is refused with those that are taken, unless it is wanted', async () => {
  const mesh = new Mesh({ address: consul });
  await using instance = await mesh.register({ name: 'paired', port: 1, sidecar: { port: await freePort() } });
  const envoy = await fakeEnvoy(`${saysIts('1.20.7')}\necho "cannot start" >&2; exit 3`);
  await expect(mesh.startSidecar(instance, { envoy })).rejects.toMatchObject({
    code: 'envoy-pairing',
    accepted: ['1.33', '1.34', '1.35', '1.36'],
  });
  // The same one, where it is found by the environment or on PATH.
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.stubEnv('PATH', `${dirname(envoy)}:${process.env.PATH}`);
  expect(await codeOf(mesh.startSidecar(instance))).toBe('envoy-pairing');
  vi.stubEnv('QUORATE_ENVOY', '/nowhere/envoy');
  expect(await codeOf(mesh.startSidecar(instance))).toBe('envoy-missing');
  const failed = mesh.startSidecar(instance, { envoy, anyPairing: true });
  await expect(failed).rejects.toThrow(/the sidecar paired-[^ ]+-1-sidecar-proxy ended with status 3.*cannot start/s);
  // One that prints its bootstrap, where the token is written as JSON has it.
  const token = `my "secret" isn't\\this`.replaceAll(' ', '-');
  const secretive = new Mesh({ address: consul, token });
  const talker = await fakeEnvoy(`${saysIts('1.36.4')}\ncat "$2" >&2; exit 3`);
  const told = await secretive.startSidecar(instance, { envoy: talker }).catch((error) => error as SidecarFailedError);
  expect(told).toMatchObject({ message: expect.stringContaining('{"key":"x-consul-token","value":"<token>"}') });
  expect(inspect(told, { depth: 9, maxStringLength: null })).not.toContain('secret');
});

test('no Envoy, one that hangs, one that is given up: said plainly, and nothing is left', async () => {
  const mesh = new Mesh({ address: consul });
  await using instance = await mesh.register({ name: 'unlucky', port: 1, sidecar: { port: await freePort() } });
  const before = await folders();
  expect(await codeOf(mesh.startSidecar(instance, { envoy: '/nowhere/envoy' }))).toBe('envoy-missing');
  expect(await codeOf(mesh.startSidecar(instance, { envoy: '/bin/true' }))).toBe('envoy-missing');
  const pids = join(await mkdtemp(join(tmpdir(), 'quorate-pids-')), 'pids');
  onTestFinished(() => rm(join(pids, '..'), { recursive: true }));
  const envoy = await fakeEnvoy(`${saysIts('1.36.4')}\necho $$ >> ${pids}\nexec sleep 1000`);
  const late = mesh.startSidecar(instance, { envoy, startWithin: '500ms' });
  await expect(late).rejects.toThrow('was not ready within 500 ms');
  const signal = AbortSignal.timeout(500);
  await expect(mesh.startSidecar(instance, { envoy, signal })).rejects.toMatchObject({ name: 'TimeoutError' });
  // Stopped while it starts: nobody waits for what will not come.
  const started = async (): Promise<number> => (await readFile(pids, 'utf8')).trim().split('\n').length;
  const stopped = mesh.sidecar(instance, { envoy });
  const starting = stopped.start();
  await Promise.all([
    expect(starting).rejects.toMatchObject({ code: 'stopped', happened: 'no' }),
    eventually('it starts', async () => (await started()) === 3).then(() => stopped.stop()),
  ]);
  expect(stopped.state).toBe('stopped');
  expect(await folders()).toEqual(before);
  for (const pid of (await readFile(pids, 'utf8')).trim().split('\n')) expect(lives(Number(pid))).toBe(false);
});
