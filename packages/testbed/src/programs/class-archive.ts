import { createHash } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cache } from './cache.ts';
import type { Program } from './program.ts';

const file = 'classes.jsa';

/**
 * A Java server reads, checks and links some thousand classes each time it starts. What one has loaded, Java keeps in an
 * archive (class data sharing), with which the next ones start in half the time: it is made once, by a server that `load`
 * starts and ends, and is in the cache from then on. Undefined where Java makes none, or the cache cannot be used: then the
 * servers start as they did. Java does not take an archive of other jars, or of another Java. Where `load` rejects, what it may
 * have left is half an archive: the next one tries again.
 */
export async function classArchive(
  cache: Cache,
  java: Program,
  jars: Program,
  load: (jvm: readonly string[], signal: AbortSignal | undefined) => Promise<void>,
  signal?: AbortSignal,
): Promise<string | undefined> {
  // Jars by another way are other jars to Java, and such a way may be there for a moment only.
  if ((await realpath(jars.path)) !== jars.path) return undefined;
  const key = [java.path, java.version, jars.path, jars.version, String((await stat(jars.path)).mtimeMs)].join('\n');
  const name = `${jars.name}-classes-${createHash('sha256').update(key).digest('hex').slice(0, 12)}`;
  try {
    const made =
      (await cache.find(name)) ??
      (await cache.install(
        name,
        async (staging) => {
          const archive = join(staging, file);
          await load(['-XX:+IgnoreUnrecognizedVMOptions', `-XX:ArchiveClassesAtExit=${archive}`], signal);
          signal?.throwIfAborted();
          // Also where this Java makes none: nobody tries again in vain.
          const there = await stat(archive).catch(() => undefined);
          return { ...jars, path: there === undefined ? '' : file };
        },
        { signal },
      ));
    return made.path.endsWith(file) ? made.path : undefined;
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}
