import { execFile } from 'node:child_process';
import { basename, dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { ProgramPin } from './lock.ts';
import type { Program } from './program.ts';

/** What came of asking a program for its version. */
export type VersionAnswer =
  /** The line in which it says it, or its first line; some builds do not know their version. */
  | { readonly line: string; readonly version?: string }
  /** It cannot be run. */
  | { readonly failure: string };

/** Java programs are asked by their own main classes; the jars' names are only names. */
const javaQuestions: Readonly<Record<string, readonly string[]>> = {
  zookeeper: ['org.apache.zookeeper.version.VersionInfoMain'],
  'zookeeper-3.5.10': ['org.apache.zookeeper.Version'],
  'zookeeper-3.9.5': ['org.apache.zookeeper.version.VersionInfoMain'],
  kafka: ['kafka.Kafka', '--version'],
  dynamodb: ['com.amazonaws.services.dynamodbv2.local.main.ServerRunner', '-version'],
  spark: ['org.apache.spark.deploy.SparkSubmit', '--version'],
};

/** Runs the program to ask it. Undefined for a Java program without a Java to run it. */
export async function askVersion(program: Program, pin: ProgramPin, java?: string): Promise<VersionAnswer | undefined> {
  const { name, path } = program;
  const question = javaQuestions[name];
  if (question) {
    if (java === undefined) return undefined;
    const jars = ['-XX:TieredStopAtLevel=1', '-cp', join(path, '*')];
    return answer(program, java, [...jars, ...question], /(?:^|version )(\d+(?:\.\d+)+)/);
  }
  // Maven asks its environment for Java.
  const env = java === undefined ? {} : { JAVA_HOME: dirname(dirname(java)) };
  return answer(program, path, pin.versionArguments, new RegExp(pin.versionPattern), env);
}

function answer(
  { path }: Program,
  command: string,
  args: readonly string[],
  pattern: RegExp,
  env: Readonly<Record<string, string>> = {},
): Promise<VersionAnswer> {
  return new Promise((resolve) => {
    const options = { timeout: 20_000, maxBuffer: 1024 * 1024, env: { ...env, ...process.env } };
    execFile(command, [...args], options, (error, out, err) => {
      const lines = stripVTControlCharacters(`${out}\n${err}`)
        .replaceAll(path, basename(path))
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '');
      const line = lines.find((one) => pattern.test(one));
      const version = line === undefined ? undefined : pattern.exec(line)?.[1];
      if (line !== undefined && version !== undefined) resolve({ line, version });
      else if (error) resolve({ failure: lines.at(-1) ?? error.message });
      else resolve({ line: lines[0] ?? '' });
    });
  });
}
