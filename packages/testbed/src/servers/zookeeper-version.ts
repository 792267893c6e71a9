/** Those that a bed starts when it is told to, each pinned in lock.json and fetched when it is first asked for. */
export const zooKeeperVersions = ['3.5.10', '3.9.5'] as const;

export type ZooKeeperVersion = (typeof zooKeeperVersions)[number];

/** The name of the program: without a version the one that every bed has, which may be a newer one on PATH. */
export function zooKeeperProgram(version: ZooKeeperVersion | undefined): string {
  return version === undefined ? 'zookeeper' : `zookeeper-${version}`;
}
