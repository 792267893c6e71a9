/** A program that is present and may be run. */
export interface Program {
  readonly name: string;
  readonly version: string;
  /** Where it came from. */
  readonly source: 'environment' | 'path' | 'release' | 'maven' | 'pip' | 'go';
  /** The executable; for a Java server, the folder of its jars. */
  readonly path: string;
}
