import { afterEach, describe, expect, vi } from 'vitest';
import { eventually, type OwnServerOptions, Testbed } from '../src/index.ts';
import { isStill } from '../src/processes/groups.ts';
import { becomesFree } from '../src/processes/ports.ts';
import { bedTest } from '../src/vitest.ts';
import { isAlive } from './alive.ts';

const test = bedTest({});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const quiet = 'echo up; exec sleep 600';
/** Does not end at SIGTERM. */
const deaf = `trap '' TERM; ${quiet}`;
/** Needs 200 ms to finish. */
const thorough = "trap 'sleep 0.2; echo finished; exit' TERM; echo up; while :; do sleep 0.05; done";

const shell = (name: string, script: string, more: Partial<OwnServerOptions<0>> = {}): OwnServerOptions<0> => ({
  name,
  command: 'sh',
  args: ['-c', script],
  ports: 0,
  ready: { log: /^up$/ },
  ...more,
});

/** A question whose answer is yes at the first start, and `later()` from then on: `asked` resolves when it comes again. */
function question(later: () => boolean | Promise<boolean>) {
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  let first = true;
  const ready = async (): Promise<boolean> => {
    if (!first) {
      resolve();
      return later();
    }
    first = false;
    return true;
  };
  return { ready, asked };
}
/** Such as a fetch without a time-out. */
const never = (): Promise<boolean> => new Promise(() => {});

describe('a stop or restart of a server that does not listen', { timeout: 5_000 }, () => {
  test.for([
    ['stop', 'kill'],
    ['restart', 'kill'],
    ['stop', 'remove'],
  ] as const)('%s is cut short by a %s in the same turn', async ([first, second], { bed }) => {
    const own = await bed.run(shell(`deaf-${first}-${second}`, deaf));
    const outcome = own[first]().catch((error: { code: string }) => error.code);
    await own[second]();
    expect(await outcome).toBe(first === 'restart' ? 'start-aborted' : undefined);
    expect(own).toMatchObject({ pid: undefined, state: 'killed' });
  });

  test('is cut short where it waits for another one', async ({ bed }) => {
    const own = await bed.run(shell('deaf-twice', deaf));
    const outcome = expect(own.restart()).rejects.toMatchObject({ code: 'start-aborted' });
    await eventually('it is being stopped', () => own.state === 'stopped');
    const stop = own.stop();
    await own.kill();
    await Promise.all([outcome, stop]);
    expect(own.state).toBe('killed');
  });
});

describe('a stop', () => {
  test.for([3_000_000_000, Number.POSITIVE_INFINITY])('may have a grace of %d ms', async (grace, { bed }) => {
    const own = await bed.run(shell(`grace-${grace}`, thorough));
    const { pid } = own;
    const stop = own.stop({ grace });
    await eventually('it is being stopped', () => own.state !== 'running', { every: 1 });
    expect(own).toMatchObject({ pid, state: 'stopped' });
    await stop;
    expect(await own.log()).toContain('finished');
  });

  test('is seen by a server that was paused', async ({ bed }) => {
    const own = await bed.run(shell('paused', thorough));
    await own.pause();
    await own.stop({ grace: Number.POSITIVE_INFINITY });
    expect(await own.log()).toContain('finished');
  });

  test('with a grace that is no time, or a restart that is not wanted, leaves it as it is', async ({ bed }) => {
    const own = await bed.run(shell('unharmed', quiet));
    const { pid } = own;
    await expect(own.stop({ grace: Number.NaN })).rejects.toThrow(
      'grace: expected a number of milliseconds, 0 or more',
    );
    await expect(own.restart(AbortSignal.abort(new Error('not wanted')))).rejects.toThrow('not wanted');
    expect(own).toMatchObject({ pid, state: 'running' });
  });
});

describe('a question of yours that never answers', { timeout: 5_000 }, () => {
  test('is given up when the time for the start is over', async ({ bed }) => {
    const own = bed.run(shell('late', quiet, { ready: never, startWithin: 300 }));
    await expect(own).rejects.toThrow('late did not become ready within 300 ms');
  });

  test('is given up when the start is no longer wanted, and when the bed is stopped', async ({ bed }) => {
    for (const end of ['abort', 'stop'] as const) {
      await using other = end === 'stop' ? await Testbed.start({}) : undefined;
      const controller = new AbortController();
      const { promise: asked, resolve } = Promise.withResolvers<void>();
      const ready = (): Promise<boolean> => {
        resolve();
        return never();
      };
      const run = (other ?? bed).run(shell('unwanted', quiet, { ready }), { signal: controller.signal });
      const outcome = expect(run).rejects.toThrow(end === 'stop' ? 'stopped' : 'not wanted');
      await asked;
      if (other) await other.stop();
      else controller.abort(new Error('not wanted'));
      await outcome;
    }
  });

  test('is given up by a look at its health, and by a remove while it starts', async ({ bed }) => {
    const { ready, asked } = question(never);
    const own = await bed.run(shell('silent', quiet, { ready }));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const health = own.health();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await health).toEqual({ status: 'fail', detail: 'not done within 2000 ms' });
    vi.useRealTimers();
    await asked;
    const restart = expect(own.restart()).rejects.toMatchObject({ code: 'start-aborted' });
    await eventually('it starts', () => own.state === 'starting' && own.pid);
    await own.remove();
    await restart;
  });
});

describe('a start', () => {
  test('is over before a pause begins, which heal ends', async ({ bed }) => {
    const { promise: answer, resolve } = Promise.withResolvers<boolean>();
    const { ready, asked } = question(() => answer);
    const own = await bed.run(shell('paused-early', quiet, { ready }));
    const restart = own.restart();
    await asked;
    const pause = own.pause();
    const { pid } = own;
    resolve(true);
    await Promise.all([restart, pause]);
    expect(own).toMatchObject({ pid, state: 'paused' });
    await bed.heal();
    expect(own.state).toBe('running');
  });

  test('leaves the state to the start where it is slowed or resumed meanwhile', async ({ bed }) => {
    const { ready, asked } = question(never);
    const own = await bed.run(shell('slowed-early', quiet, { ready }));
    const outcome = expect(own.restart()).rejects.toMatchObject({ code: 'start-aborted' });
    await asked;
    const slowed = expect(own.slow({ duty: 0.5 })).rejects.toMatchObject({ code: 'not-running' });
    const resumed = own.resume();
    expect(own).toMatchObject({ state: 'starting', isSlow: false });
    await own.kill();
    await Promise.all([outcome, slowed, resumed]);
  });

  test('fails where the server died while it was asked', async ({ bed }) => {
    const { ready } = question(async () => {
      process.kill(own.pid as number, 'SIGKILL');
      return eventually('it has died', () => own.pid === undefined);
    });
    const own = await bed.run(shell('died', quiet, { ready }));
    await expect(own.restart()).rejects.toThrow('died died while starting');
    expect(own.state).toBe('died');
  });

  test('that fails leaves no process', async ({ bed }) => {
    const own = await bed.run(shell('failing', quiet, { ready: question(() => false).ready, startWithin: 300 }));
    const restart = expect(own.restart()).rejects.toMatchObject({ code: 'server-failed' });
    const pid = await eventually('it starts', () => (own.state === 'starting' ? own.pid : undefined));
    await restart;
    expect(own).toMatchObject({ pid: undefined, state: 'died' });
    expect(isAlive(pid)).toBe(false);
  });
});

describe('what is asked of a server after another', () => {
  test('is done after it: a resume that follows a start and a pause', async ({ bed }) => {
    const own = await bed.run(shell('in-turn', quiet));
    await own.kill();
    await Promise.all([own.start(), own.pause(), own.resume()]);
    expect(own.state).toBe('running');
    await own.kill();
    await expect(own.resume()).rejects.toMatchObject({ code: 'not-running' });
  });

  test('is undone by heal: a pause that waits for its turn, on whoever runs by then', async ({ bed }) => {
    const [own, dead] = await Promise.all([bed.run(shell('healed', quiet)), bed.run(shell('dead', quiet))]);
    const asked = [own.restart(), own.pause(), dead.kill(), dead.pause().catch(() => {})];
    await bed.heal();
    await Promise.all(asked);
    expect([own.state, dead.state]).toEqual(['running', 'killed']);
  });

  test('heal does not wait for a start, which may need others that heal comes before', async ({ bed }) => {
    const { ready, asked } = question(never);
    const own = await bed.run(shell('waiting', quiet, { ready }));
    const restart = expect(own.restart()).rejects.toMatchObject({ code: 'start-aborted' });
    await asked;
    await bed.heal();
    expect(own.state).toBe('starting');
    await Promise.all([restart, own.kill()]);
  });
});

const serve = "require('net').createServer().listen(process.argv[1], '127.0.0.1')";

// Without /proc nobody finds it.
test.skipIf(process.platform !== 'linux')(
  'a daemon that a server leaves is gone with it, however it ends',
  async ({ bed }) => {
    const own = await bed.run({
      name: 'daemon',
      command: 'sh',
      args: ({ port }) => ['-c', `(setsid "$0" -e "$1" "$2" &); exec sleep 600`, process.execPath, serve, String(port)],
      ready: { tcp: true },
    });
    for (const end of ['kill', 'stop'] as const) {
      await own[end]();
      expect(await becomesFree(own.port), end).toBe(true);
      await own.start();
    }
    await own.restart();
    process.kill(own.pid as number, 'SIGKILL');
    await eventually('its death is noticed', () => own.state === 'died', { every: 1 });
    await own.start();
  },
);

test.skipIf(process.platform !== 'linux')(
  'a start waits for those who stood still with a server that died',
  async ({ bed }) => {
    const own = await bed.run({
      name: 'parent',
      command: 'sh',
      args: ({ port }) => ['-c', `setsid "$0" -e "$1" "$2" & echo $!; wait`, process.execPath, serve, String(port)],
      ready: { tcp: true },
    });
    const child = Number((await own.log())[0]);
    await own.pause();
    expect(isStill(child)).toBe(true);
    const kill = process.kill.bind(process);
    // As where a large process takes its time to leave.
    vi.spyOn(process, 'kill').mockImplementation((pid, signal) => {
      if (pid !== -child || signal !== 'SIGKILL') return kill(pid, signal);
      setTimeout(() => kill(pid, signal), 50);
      return true;
    });
    kill(own.pid as number, 'SIGKILL');
    await eventually('its death is noticed', () => own.state === 'died', { every: 1 });
    await own.start();
    expect(isAlive(child)).toBe(false);
  },
);
