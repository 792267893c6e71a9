import { createHash } from 'node:crypto';
import { QuorateError } from '@quorate/core';
import type { Bring } from './bring.ts';
import { Cache } from './cache.ts';
import { bringWithGo } from './go.ts';
import { type Lock, type ProgramPin, lock as pinned, platform, releaseOn, type SourceName, sourcesOn } from './lock.ts';
import { bringWithMaven } from './maven.ts';
import { bringWithPip } from './pip.ts';
import { lookAt, lookOnPath } from './present.ts';
import type { Program } from './program.ts';
import { ProgramMissingError, variable } from './program-missing-error.ts';
import type { OnProgress } from './progress.ts';
import { bringRelease } from './release.ts';

export interface ProgramsOptions {
  /** Never fetch: what is not here is missing. */
  readonly offline?: boolean;
  readonly onProgress?: OnProgress;
  readonly cache?: Cache;
  readonly lock?: Lock;
}

/** Finds the programs that servers are made of, and brings those that are missing. */
export class Programs {
  readonly #cache: Cache;
  readonly #lock: Lock;
  readonly #offline: boolean;
  readonly #onProgress: OnProgress;
  readonly #found = new Map<string, Promise<Program>>();

  constructor({ offline, onProgress, cache, lock }: ProgramsOptions = {}) {
    this.#cache = cache ?? new Cache();
    this.#lock = lock ?? pinned();
    this.#offline = offline ?? false;
    this.#onProgress = onProgress ?? (() => {});
  }

  /** From the environment, PATH, the cache, the vendor's archive or a package client: whichever serves first. */
  get(name: string, signal?: AbortSignal): Promise<Program> {
    const program = this.#found.get(name) ?? this.#get(name, signal);
    this.#found.set(name, program);
    return program;
  }

  /** Where a program is, without bringing it; undefined when it would have to be brought. */
  async find(name: string): Promise<Program | undefined> {
    const pin = this.#pin(name);
    return (
      (await this.#named(name, pin)) ?? (await this.#onPath(name, pin, [])) ?? this.#cache.find(cacheName(name, pin))
    );
  }

  async #get(name: string, signal: AbortSignal | undefined): Promise<Program> {
    const pin = this.#pin(name);
    const tried: string[] = [`${variable(name)} is not set`];
    const named = await this.#named(name, pin);
    if (named) return named;
    const present = (await this.#onPath(name, pin, tried)) ?? (await this.#cache.find(cacheName(name, pin)));
    if (present) return present;
    if (pin.instead !== undefined) return this.get(pin.instead, signal);
    tried.push(`it is not in the cache ${this.#cache.folder}`);
    if (this.#offline) throw new ProgramMissingError(name, pin, [...tried, 'nothing is fetched while offline']);
    return this.#bring(name, pin, tried, signal);
  }

  #pin(name: string): ProgramPin {
    const pin = this.#lock[name];
    if (!pin) throw new QuorateError(`there is no program ${name} in lock.json`, { code: 'unknown-program' });
    return pin;
  }

  /** A program that the environment names is used, or refused: never silently replaced by another. */
  async #named(name: string, pin: ProgramPin): Promise<Program | undefined> {
    const path = process.env[variable(name)];
    if (!path) return undefined;
    const finding = await lookAt(path, pin);
    if ('path' in finding) return { name, ...finding, source: 'environment' };
    throw new QuorateError(`${variable(name)}: ${finding.why}`, { code: 'bad-program' });
  }

  async #onPath(name: string, pin: ProgramPin, tried: string[]): Promise<Program | undefined> {
    const finding = await lookOnPath(pin);
    if ('path' in finding) return { name, ...finding, source: 'path' };
    tried.push(finding.why);
    return undefined;
  }

  async #bring(name: string, pin: ProgramPin, tried: string[], signal: AbortSignal | undefined): Promise<Program> {
    const label = `${name} ${pin.version}`;
    const report: Bring['report'] = (progress) => this.#onProgress({ name: label, ...progress });
    try {
      return await this.#cache.install(
        cacheName(name, pin),
        async (staging, warden) => {
          const bring: Bring = { staging, warden, signal, report, need: (other) => this.get(other, signal) };
          const sources = sourcesOn(pin);
          if (sources.length === 0) tried.push(`there is no release for ${platform} that can be pinned`);
          for (const source of sources) {
            try {
              return { name, version: pin.version, source, path: await bringFrom(source, pin, bring) };
            } catch (error) {
              if (signal?.aborted || !mayTryAnother(error)) throw error;
              tried.push(`${source}: ${(error as Error).message}`);
            }
          }
          throw new ProgramMissingError(name, pin, tried);
        },
        {
          signal,
          onWait: (pid) =>
            report({ step: `waiting for ${pid ? `process ${pid}` : 'another process'}, which fetches it` }),
        },
      );
    } finally {
      this.#onProgress({ name: label, step: 'done', finished: true });
    }
  }
}

function bringFrom(source: SourceName, pin: ProgramPin, bring: Bring): Promise<string> {
  const { maven, pip, go } = pin;
  const release = releaseOn(pin);
  if (source === 'release' && release) return bringRelease(release, bring);
  if (source === 'maven' && maven) return bringWithMaven(maven, bring);
  if (source === 'pip' && pip) return bringWithPip(pip, bring);
  if (source === 'go' && go) return bringWithGo(go, bring);
  throw new Error(`${source} is not pinned`);
}

/** What is wrong with one source may be right with the next; a bad checksum or a full disk is the end. */
function mayTryAnother(error: unknown): boolean {
  return (
    error instanceof QuorateError && !['checksum-mismatch', 'disk-full', 'cache-not-writable'].includes(error.code)
  );
}

/**
 * Another pin is another program, even of the same version: what an older lock file brought is not taken for it. What is
 * pinned for other platforms makes no difference here.
 */
export function cacheName(name: string, pin: ProgramPin): string {
  const { version, maven, pip, go } = pin;
  const here = [releaseOn(pin), maven?.jars, maven?.inside?.files[platform], pip?.wheels[platform], go];
  if (maven?.platforms) here.push(maven.platforms[platform]);
  const sources = createHash('sha256').update(JSON.stringify(here)).digest('hex');
  return `${name}-${version}-${platform}-${sources.slice(0, 8)}`;
}
