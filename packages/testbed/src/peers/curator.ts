import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { basename, delimiter, join } from 'node:path';
import { QuorateError } from '@quorate/core';
import { run } from '../processes/run.ts';
import { Cache } from '../programs/cache.ts';
import { bringWithMaven } from '../programs/maven.ts';
import { Programs } from '../programs/programs.ts';
import { classPathOf } from './jars.ts';
import type { PeerProgram } from './peer-program.ts';

const version = '5.9.0';

/** What Curator is made of, but for the ZooKeeper client, which comes with our server. */
const jars = {
  [`org.apache.curator:curator-client:${version}`]: {
    sha256: '9b1d65fa1940f77199ed097a8e586534efd1e9311227939a46a0e467a5f7991a',
    bytes: 3_274_774,
  },
  [`org.apache.curator:curator-framework:${version}`]: {
    sha256: 'f8588d71d4b2d0b15ef5f911ceaac387563070cc328b91025047131d0c05733e',
    bytes: 343_451,
  },
  [`org.apache.curator:curator-recipes:${version}`]: {
    sha256: '2b384c256a8a30dfdff11763ec0fd56b6346e001afcb0c5ea972d5d0db1698bc',
    bytes: 318_709,
  },
};

/**
 * A Java program that uses Apache Curator: one source file, named after its class. Maven brings the jars and the compiler
 * of the JDK makes the classes, once; then both are in the cache.
 */
export async function curatorProgram(
  source: string,
  { jvm = [] }: { readonly jvm?: readonly string[] } = {},
): Promise<PeerProgram> {
  const programs = new Programs();
  const cache = new Cache();
  const [java, zookeeper] = [await programs.get('java'), await programs.get('zookeeper')];
  const name = `curator-${version}`;
  const curator = await cache.install(name, async (staging, warden) => {
    const need = (other: string) => programs.get(other);
    const path = await bringWithMaven({ jars }, { staging, warden, signal: undefined, report: () => {}, need });
    return { name: 'curator', version, source: 'maven', path };
  });
  const classPath = await classPathOf(zookeeper.path, curator.path);
  const className = basename(source, '.java');
  const classes = await compiled(cache, { source, className, java: java.path, javaVersion: java.version, classPath });
  // No binding for its logs: nobody would read them.
  const quiet = ['-Dslf4j.internal.verbosity=ERROR', '-XX:-UsePerfData', '-Djava.net.preferIPv4Stack=true'];
  return {
    command: java.path,
    args: [...quiet, ...jvm, '-cp', [classes, classPath].join(delimiter), className],
    env: {},
  };
}

interface Compilation {
  readonly source: string;
  readonly className: string;
  readonly java: string;
  readonly javaVersion: string;
  readonly classPath: string;
}

/** The folder of its classes. Another text, another Java or other jars are another program. */
async function compiled(
  cache: Cache,
  { source, className, java, javaVersion, classPath }: Compilation,
): Promise<string> {
  const text = await readFile(source);
  const sum = createHash('sha256').update(text).update(`\n${javaVersion}\n${classPath}`).digest('hex');
  const name = `${className}-${sum.slice(0, 12)}`;
  const made = await cache.install(name, async (staging, warden) => {
    const folder = join(staging, 'classes');
    await mkdir(folder);
    const args = ['--module', 'jdk.compiler/com.sun.tools.javac.Main', '-d', folder, '-cp', classPath, source];
    await run(warden, { command: java, args, cwd: staging }).catch((error: Error) => {
      if (!error.message.includes('jdk.compiler not found')) throw error;
      throw new QuorateError(`${source} needs a JDK: ${java} is a Java without a compiler`, { code: 'no-compiler' });
    });
    return { name: className, version: javaVersion, source: 'maven', path: 'classes' };
  });
  return made.path;
}
