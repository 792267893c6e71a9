/** How a client that is not ours is run: another program, in a process of its own. */
export interface PeerProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}
