import { cp, mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../processes/run.ts';
import type { Bring } from './bring.ts';
import { type GoPin, programsFolder } from './lock.ts';

/**
 * Builds a program with Go from a small module of ours that requires it: a program whose own go.mod has replace
 * directives cannot be installed directly. go.sum pins every module.
 */
export async function bringWithGo(pin: GoPin, { staging, warden, signal, report, need }: Bring): Promise<string> {
  const go = await need('go');
  const module = join(staging, 'module');
  await cp(fileURLToPath(new URL(`go/${pin.module}`, programsFolder)), module, { recursive: true });
  await mkdir(join(staging, 'files'));
  const program = join('files', basename(pin.main));
  const defines = Object.entries(pin.defines ?? {}).map(([name, text]) => `-X ${name}=${text}`);
  let done = 0;
  report({ step: 'building with Go', done, total: pin.packages });
  await run(warden, {
    command: go.path,
    args: [
      'build',
      '-v',
      '-mod=readonly',
      '-trimpath',
      `-tags=${(pin.tags ?? []).join(',')}`,
      '-buildvcs=false',
      `-ldflags=${['-s', '-w', ...defines].join(' ')}`,
      '-o',
      join(staging, program),
      pin.main,
    ],
    cwd: module,
    // Without cgo no C compiler is needed, and the result does not depend on this machine's libraries.
    env: { CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' },
    signal,
    onLine: (line) => {
      if (line.startsWith('go: ')) return report({ step: 'fetching modules with Go' });
      done += 1;
      report({ step: 'building with Go', done: Math.min(done, pin.packages), total: pin.packages });
    },
  });
  await rm(module, { recursive: true });
  return program;
}
