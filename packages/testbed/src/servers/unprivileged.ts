/**
 * Root inside a name space of users counts as root too. The number is that of `nobody`, whom every system knows. Shared
 * memory of System V outlives who is killed, but not its name space; where others than root may have none, it is small.
 */
const script = `
if [ "$(id -u)" = 0 ]; then
  as="--user --ipc --map-user=65534 --map-group=65534"
  unshare $as true || {
    echo "This program refuses to run as root, and this machine does not allow user namespaces: run as another user."
    exit 1
  }
else
  as="--user --ipc --map-current-user"
  unshare $as true 2>/dev/null || exec "$@"
fi
exec unshare $as "$@"
`;

/** How to start a program that refuses to run as root: as root it is shown another user, with the same rights to files. */
export function unprivileged(
  program: string,
  args: readonly string[],
): { readonly command: string; readonly args: readonly string[] } {
  return { command: '/bin/sh', args: ['-c', script, 'quorate', program, ...args] };
}
