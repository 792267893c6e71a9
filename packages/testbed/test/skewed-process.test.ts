import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { check, eventually, History, SkewedProcess, type SkewedProcessOptions } from '../src/index.ts';
import { isAlive } from './alive.ts';
import { scratch } from './archives.ts';

/** For each line it is sent, it tells what every clock of it says. */
const teller = `
  process.stdin.setEncoding('utf8').on('data', () => {
    const [seconds, nanoseconds] = process.hrtime();
    const instant = globalThis.Temporal?.Now.instant().epochMilliseconds;
    console.log(JSON.stringify({
      dates: [Date.now(), new Date().getTime(), Date.parse(Date()) + 500, ...(instant ? [instant] : [])],
      monotonic: [performance.now(), seconds * 1e3 + nanoseconds / 1e6, Number(process.hrtime.bigint()) / 1e6],
    }));
  });
`;

interface Told {
  readonly dates: number[];
  readonly monotonic: number[];
  /** True time before and after it was told, on the monotonic clock, in milliseconds. */
  readonly between: readonly [number, number];
}

interface Teller extends AsyncDisposable {
  readonly process: SkewedProcess;
  tell(): Promise<Told>;
}

function start(options: SkewedProcessOptions = {}): Teller {
  const process = SkewedProcess.start(['--input-type=module', '-e', teller], {
    ...options,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const { stdin, stdout } = process.child;
  const lines = createInterface({ input: stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  return {
    process,
    tell: async () => {
      const before = performance.now();
      stdin?.write('\n');
      const { value } = await lines.next();
      return { ...JSON.parse(value as string), between: [before, performance.now()] };
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

const hour = 3_600_000;

/** How far each clock of the day is ahead, to the next second: it was asked within one. */
function secondsAhead({ dates }: Told): number[] {
  return dates.map((date) => Math.round((date - Date.now()) / 1_000));
}

function near(seconds: number): unknown {
  return expect.toSatisfy((ahead: number) => Math.abs(ahead - seconds) <= 5, `about ${seconds}`);
}

describe('a process with a wrong clock', () => {
  test('begins with it, in every way to ask for the time of day, and its monotonic clocks are right', async () => {
    await using right = start();
    await using wrong = start({ clock: { offsetMs: hour } });
    const { dates, monotonic } = await right.tell();
    for (const date of dates) expect(Math.abs(date - Date.now())).toBeLessThan(5_000);
    const told = await wrong.tell();
    expect(secondsAhead(told)).toEqual(dates.map(() => near(3_600)));
    // Both count from when the machine started.
    expect(Math.abs((told.monotonic[1] ?? 0) - (monotonic[1] ?? 0))).toBeLessThan(5_000);
  });

  test('jumps while it runs, forward and back, and is set right', async () => {
    await using one = start({ clock: { offsetMs: hour } });
    await one.process.jump(hour);
    expect(secondsAhead(await one.tell())[0]).toEqual(near(7_200));
    const before = await one.tell();
    await one.process.jump(-24 * hour);
    const after = await one.tell();
    expect(secondsAhead(after)[0]).toEqual(near(-22 * 3_600));
    for (const [index, value] of after.monotonic.entries()) {
      const passed = value - (before.monotonic[index] ?? 0);
      expect(passed).toBeGreaterThanOrEqual(0);
      expect(passed).toBeLessThanOrEqual(after.between[1] - before.between[0] + 1);
    }
    await one.process.setClock({});
    expect(secondsAhead(await one.tell())).toEqual(after.dates.map(() => near(0)));
  });

  test.each([0.1, 50])('runs at %d times the true speed, all clocks alike, and never back', async (rate) => {
    await using one = start();
    const earlier = await one.tell();
    await one.process.setClock({ rate });
    const before = await one.tell();
    for (let round = 0; round < 20; round += 1) await one.tell();
    const after = await one.tell();
    const least = rate * (after.between[0] - before.between[1]);
    const most = rate * (after.between[1] - before.between[0]);
    for (const [index, value] of after.monotonic.entries()) {
      expect(before.monotonic[index]).toBeGreaterThanOrEqual(earlier.monotonic[index] ?? 0);
      const passed = value - (before.monotonic[index] ?? 0);
      expect(passed).toBeGreaterThanOrEqual(least - 1);
      expect(passed).toBeLessThanOrEqual(most + 1);
    }
    const passed = (after.dates[0] ?? 0) - (before.dates[0] ?? 0);
    expect(passed).toBeGreaterThanOrEqual(least - 2);
    expect(passed).toBeLessThanOrEqual(most + 2);
  });

  test('records its history by the clock of the machine, as all others do: the verdicts on it are right', async () => {
    const source = `
      import { History } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)};
      const history = new History({ write: (line) => process.stdout.write(line) });
      let [token, ann] = [-1n];
      process.stdin.setEncoding('utf8').on('data', () => {
        if (ann) ann = void ann.released();
        else ann = history.held('ann', 'lock', (token += 2n));
      });
    `;
    await using child = SkewedProcess.start(['--conditions=@quorate/source', '--input-type=module', '-e', source], {
      clock: { rate: 50 },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const { stdin, stdout } = child.child;
    const lines = createInterface({ input: stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
    const now = (): number => Number(process.hrtime.bigint()) / 1e6;
    let written = '';
    const turn = async (): Promise<void> => {
      const before = now();
      stdin?.write('\n');
      const { value } = await lines.next();
      const { at } = JSON.parse(value as string) as { at: number };
      expect(at).toBeGreaterThanOrEqual(before);
      expect(at).toBeLessThanOrEqual(now());
      written += `${value}\n`;
    };
    const ours = new History();
    const verdict = (): string => check.exclusive(History.merge(History.fromJsonLines(written), ours)).result;

    // A clock that is fast would say that ann let go after ben had begun.
    await turn();
    await turn();
    ours.held('ben', 'lock', 2n).released();
    expect(verdict()).toBe('valid');
    // And one that is slow, that she let go before.
    await child.setClock({ rate: 0.001 });
    await turn();
    ours.held('ben', 'lock', 4n).released();
    await turn();
    expect(verdict()).toBe('invalid');
  });

  test('is otherwise as it should be: dates that are given, their type, their prototype', async () => {
    await using one = SkewedProcess.start(
      [
        '--input-type=module',
        '-e',
        `import { statSync } from 'node:fs';
         class Later extends Date {}
         console.log(JSON.stringify([new Date(5).getTime(), new Date(2020, 0, 1).getFullYear(), Date.UTC(1970, 0, 2),
           new Date() instanceof Date, statSync('.').mtime instanceof Date, new Date().constructor === Date,
           new Later(7).getTime(), new Later() instanceof Later, typeof Date(), Date.name]));`,
      ],
      { clock: { offsetMs: -hour } },
    );
    const [line] = (await once(createInterface({ input: one.child.stdout as NodeJS.ReadableStream }), 'line')) as [
      string,
    ];
    expect(JSON.parse(line)).toEqual([5, 2020, 86_400_000, true, true, true, 7, true, 'string', 'Date']);
    // Nothing of ours keeps it alive.
    if (one.child.exitCode === null) await once(one.child, 'exit', { signal: AbortSignal.timeout(10_000) });
    expect(one.child.exitCode).toBe(0);
    await expect(one.jump(1)).rejects.toMatchObject({ code: 'not-running' });
  });

  test('dies with whoever started it', async () => {
    const source = `
      import { SkewedProcess } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)};
      const one = SkewedProcess.start(['-e', 'setInterval(() => {}, 1_000)']);
      await one.jump(5);
      console.log(one.child.pid);
    `;
    await using parent = SkewedProcess.start(['--conditions=@quorate/source', '--input-type=module', '-e', source]);
    const lines = createInterface({ input: parent.child.stdout as NodeJS.ReadableStream });
    const [pid] = ((await once(lines, 'line')) as [string]).map(Number);
    expect(isAlive(pid ?? 0)).toBe(true);
    await parent[Symbol.asyncDispose]();
    await eventually('it is gone', () => !isAlive(pid ?? 0));
  });

  test('may fork: the child runs with the true time', async () => {
    await using place = await scratch();
    const path = join(place.folder, 'forker.mjs');
    await writeFile(
      path,
      `import { fork } from 'node:child_process';
       if (process.argv[2]) process.send(Date.now());
       else fork(process.argv[1], ['child']).on('message', (time) => console.log(time));`,
    );
    await using one = SkewedProcess.start([path], { clock: { offsetMs: hour }, stdio: ['ignore', 'pipe', 'ignore'] });
    const time = await text(one.child.stdout as NodeJS.ReadableStream);
    expect(Math.abs(Number(time) - Date.now())).toBeLessThan(60_000);
  });

  test('is the end of what it has started, also when it ended before', async () => {
    const source = `
      import { spawn } from 'node:child_process';
      console.log(spawn('sleep', ['307'], { stdio: 'ignore' }).pid);
      process.kill(process.pid, 'SIGKILL');
    `;
    await using one = SkewedProcess.start(['--input-type=module', '-e', source]);
    const lines = createInterface({ input: one.child.stdout as NodeJS.ReadableStream });
    const [[pid]] = await Promise.all([once(lines, 'line') as Promise<[string]>, once(one.child, 'exit')]);
    expect(isAlive(Number(pid))).toBe(true);
    await one[Symbol.asyncDispose]();
    await eventually('its child is gone', () => !isAlive(Number(pid)), { within: 5_000 });
  });

  test('refuses what is no clock, and gives up waiting when told to', async () => {
    expect(() => SkewedProcess.start([], { clock: { rate: 0 } })).toThrow('clock.rate: expected above 0, at most 1000');
    expect(() => SkewedProcess.start([], { clock: { offsetMs: Number.NaN } })).toThrow('clock.offsetMs: expected');
    await using busy = SkewedProcess.start(['-e', 'for (;;);']);
    await expect(busy.jump(Infinity)).rejects.toThrow('milliseconds: expected milliseconds');
    await expect(busy.jump(1, { signal: AbortSignal.timeout(100) })).rejects.toThrow(/timeout/);
    const waiting = expect(busy.setClock({})).rejects.toThrow('the process has ended');
    await busy[Symbol.asyncDispose]();
    await waiting;
  });
});
