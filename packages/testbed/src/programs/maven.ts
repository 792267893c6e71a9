import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { run } from '../processes/run.ts';
import type { Bring } from './bring.ts';
import { verify } from './checksum.ts';
import { type MavenPin, platform } from './lock.ts';
import { unpack } from './unpack.ts';

const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';

/** Brings jars with Maven: those that are pinned, and nothing they would pull in. */
export async function bringWithMaven(pin: MavenPin, { staging, warden, signal, report, need }: Bring): Promise<string> {
  const maven = await need('maven');
  const java = await need('java');
  const project = join(staging, 'project');
  const jars = join(staging, 'jars');
  await mkdir(project);
  const wanted = { ...pin.jars, ...pin.platforms?.[platform] };
  await writeFile(join(project, 'pom.xml'), pom(Object.keys(wanted)));
  const names = new Map(Object.keys(wanted).map((coordinates) => [jarName(coordinates), coordinates]));
  const seen = new Set<string>();
  report({ step: 'fetching with Maven', done: 0, total: names.size });
  await run(warden, {
    command: maven.path,
    args: ['-B', '--no-transfer-progress', `${plugin}:copy-dependencies`, `-DoutputDirectory=${jars}`],
    cwd: project,
    // A Java that is not on PATH is one that Maven would not find.
    env: java.source === 'path' ? {} : { JAVA_HOME: dirname(dirname(java.path)) },
    signal,
    onLine: (line) => {
      const jar = /Copying (\S+\.jar) to/.exec(line)?.[1];
      if (jar && names.has(jar)) report({ step: 'fetching with Maven', done: seen.add(jar).size, total: names.size });
    },
  });
  for (const [coordinates, { sha256 }] of Object.entries(wanted)) {
    await verify(coordinates, join(jars, jarName(coordinates)), sha256, signal);
  }
  await rm(project, { recursive: true });
  if (!pin.inside) return basename(jars);
  const [first = ''] = Object.keys(wanted);
  return takeOut(pin.inside, join(jars, jarName(pin.inside.jar ?? first)), signal);
}

/** Takes the one program out of its jar, and drops the jars. */
async function takeOut(
  { files, program }: NonNullable<MavenPin['inside']>,
  jar: string,
  signal?: AbortSignal,
): Promise<string> {
  const file = files[platform];
  if (!file) throw new Error(`${jar} has no program for ${platform}`);
  const home = join(dirname(dirname(jar)), 'files');
  await unpack(jar, home, { wanted: (name) => name === file, ...(signal && { signal }) });
  await rm(dirname(jar), { recursive: true });
  if (program !== undefined) {
    await unpack(join(home, file), home, signal ? { signal } : {});
    await rm(join(home, file));
  }
  await chmod(join(home, program ?? file), 0o755);
  return join('files', program ?? file);
}

function jarName(coordinates: string): string {
  return `${coordinates.split(':').slice(1).join('-')}.jar`;
}

function pom(jars: readonly string[]): string {
  const dependencies = jars.map((coordinates) => {
    const [group, artifact, version, classifier] = coordinates.split(':');
    const more = classifier ? `<classifier>${classifier}</classifier>` : '';
    const alone = '<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>';
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>${more}${alone}</dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>quorate</groupId><artifactId>testbed</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>${dependencies.join('\n')}</dependencies>
</project>
`;
}
