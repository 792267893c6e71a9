import { delimiter, join } from 'node:path';
import { temporaryFolder } from '../processes/server-plan.ts';
import type { Site } from './site.ts';

export interface JavaOptions {
  /** Further options of the Java machine, after ours. */
  readonly jvm?: readonly string[];
}

/**
 * How a Java server is run. The serial collector and the first compiler alone start fastest and take the least memory on
 * two cores; for long benchmarks undo the latter with `jvm: ['-XX:TieredStopAtLevel=4']`.
 */
export function javaArguments(site: Site, server: string, heap: string, { jvm = [] }: JavaOptions = {}): string[] {
  const jars = site.program(server).path;
  const classes = site.classes?.(server);
  return [
    `-Xmx${heap}`,
    '-Xss512k',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-XX:-UsePerfData',
    // Java does not look at TMPDIR. From the folder of the server, where it is started.
    `-Djava.io.tmpdir=${temporaryFolder}`,
    '-Xshare:auto',
    ...(classes === undefined ? [] : [`-XX:SharedArchiveFile=${classes}`]),
    '-Djava.net.preferIPv4Stack=true',
    ...jvm,
    '-cp',
    [join(jars, '*')].join(delimiter),
  ];
}
