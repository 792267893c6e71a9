/** Root inside a name space of users counts as root too. The number is that of `nobody`, whom every system knows. */
const script = `
[ "$(id -u)" = 0 ] || exec "$@"
as="--map-user=65534 --map-group=65534"
unshare --user $as true || {
  echo "This program refuses to run as root, and this machine does not allow user namespaces: run as another user."
  exit 1
}
exec unshare --user $as "$@"
`;

/** How to start a program that refuses to run as root: as root it is shown another user, with the same rights to files. */
export function unprivileged(
  program: string,
  args: readonly string[],
): { readonly command: string; readonly args: readonly string[] } {
  return { command: '/bin/sh', args: ['-c', script, 'quorate', program, ...args] };
}
