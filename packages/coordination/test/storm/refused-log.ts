/**
 * Whether a member would not start on its own data. ZooKeeper 3.9.4 refuses a log with a hole in it, and a member that is
 * killed while it catches up can have one (ZOOKEEPER-4882 and 4925); its operator would empty its folder. Seen in one of 52
 * storms of 20 s. It says nothing about those who hold and lead: play the storm again, on other servers.
 */
export function isRefusedLog(error: unknown): boolean {
  return error instanceof Error && error.message.includes('Committed proposal cached out of order');
}
