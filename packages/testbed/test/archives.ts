import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { create } from 'tar';
import type { Lock, ProgramPin } from '../src/programs/lock.ts';

/** A folder of its own for a test. */
export async function scratch(): Promise<AsyncDisposable & { readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-test-'));
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

/** A release archive with one small program in it, that tells its version as a real one does. */
export async function archive(folder: string, version = '1.2.3'): Promise<Buffer> {
  await script(join(folder, 'gadget'), `echo "gadget ${version}"`);
  await create({ gzip: true, file: join(folder, 'gadget.tar.gz'), cwd: folder }, ['gadget']);
  return readFile(join(folder, 'gadget.tar.gz'));
}

/** A zip of some files, stored as they are, under whatever names. */
export function zip(files: Readonly<Record<string, string>>): Buffer {
  const locals: Buffer[] = [];
  const entries: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const [file, data] = [Buffer.from(name), Buffer.from(content)];
    const sums = Buffer.concat([longs(crc32(data), data.length, data.length), shorts(file.length, 0)]);
    const local = Buffer.concat([longs(0x04034b50), shorts(20, 0, 0, 0, 33), sums, file, data]);
    const rest = [shorts(0, 0, 0), longs(0, offset), file];
    entries.push(Buffer.concat([longs(0x02014b50), shorts(20, 20, 0, 0, 0, 33), sums, ...rest]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(entries);
  const count = shorts(0, 0, entries.length, entries.length);
  return Buffer.concat([...locals, directory, longs(0x06054b50), count, longs(directory.length, offset), shorts(0)]);
}

function shorts(...values: number[]): Buffer {
  return Buffer.from(Uint16Array.from(values).buffer);
}

function longs(...values: number[]): Buffer {
  return Buffer.from(Uint32Array.from(values).buffer);
}

/** A Python wheel with the gadget in it, in a folder where pip can find it. */
export async function wheel(folder: string): Promise<{ readonly sha256: string }> {
  const about = 'gadget_bin-1.2.3.dist-info';
  const content = zip({
    'gadget/bin/gadget': '#!/bin/sh\necho "gadget 1.2.3"\n',
    [`${about}/METADATA`]: 'Metadata-Version: 2.1\nName: gadget-bin\nVersion: 1.2.3\n',
    [`${about}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    [`${about}/RECORD`]: '',
  });
  await writeFile(join(folder, 'gadget_bin-1.2.3-py3-none-any.whl'), content);
  return { sha256: sha256(content) };
}

export async function script(path: string, body: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
}

export function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** An HTTP server on loopback. */
export async function serve(listener: RequestListener): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/gadget.tar.gz`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A lock file that knows one program, which comes from `url`. */
export function gadgetLock(url: string, checksum: string, more: Partial<ProgramPin> = {}): Lock {
  return {
    gadget: {
      version: '1.2.3',
      atLeast: '1.0',
      command: 'quorate-test-gadget',
      versionArguments: ['--version'],
      versionPattern: 'gadget (\\d+(?:\\.\\d+)*)',
      release: { any: { url, sha256: checksum, program: 'gadget' } },
      byHand: { debian: 'sudo apt-get install gadget', macos: 'brew install gadget' },
      ...more,
    },
  };
}
