import { dirname } from 'node:path';
import { Cache } from '../programs/cache.ts';
import { platform } from '../programs/lock.ts';
import { bringWithPip } from '../programs/pip.ts';
import { Programs } from '../programs/programs.ts';
import type { PeerProgram } from './peer-program.ts';

const version = '2.11.0';

const wheel = {
  tag: 'any',
  sha256: 'aa6be17159540dae4087661b8d4e24c7b58d4dc26170a2d5b8468b06712d84a9',
  bytes: 150_943,
};

/** A Python program that uses kazoo. pip brings the library, once; nothing is installed into any Python. */
export async function kazooProgram(source: string): Promise<PeerProgram> {
  const cache = new Cache();
  const programs = new Programs();
  const name = `kazoo-${version}`;
  const kazoo = await cache.install(name, async (staging, warden) => {
    const pin = { requirement: `kazoo==${version}`, program: 'kazoo/__init__.py', wheels: { [platform]: wheel } };
    const need = (other: string) => programs.get(other);
    const path = await bringWithPip(pin, { staging, warden, signal: undefined, report: () => {}, need });
    return { name: 'kazoo', version, source: 'pip', path };
  });
  return { command: 'python3', args: [source], env: { PYTHONPATH: dirname(dirname(kazoo.path)) } };
}
