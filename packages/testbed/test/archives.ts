import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { create } from 'tar';
import type { Lock } from '../src/programs/lock.ts';

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
export function gadgetLock(url: string, checksum: string): Lock {
  return {
    gadget: {
      version: '1.2.3',
      atLeast: '1.0',
      command: 'quorate-test-gadget',
      versionArguments: ['--version'],
      versionPattern: 'gadget (\\d+(?:\\.\\d+)*)',
      release: { any: { url, sha256: checksum, program: 'gadget' } },
      byHand: { debian: 'sudo apt-get install gadget', macos: 'brew install gadget' },
    },
  };
}
