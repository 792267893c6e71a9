import { BadVersionError } from '../errors/bad-version-error.ts';
import { NoAuthError } from '../errors/no-auth-error.ts';
import { NoNodeError } from '../errors/no-node-error.ts';
import { NodeExistsError } from '../errors/node-exists-error.ts';
import { NotEmptyError } from '../errors/not-empty-error.ts';
import { type Asked, ServerError } from '../errors/server-error.ts';

/** The errors a program handles by name. */
const named = new Map<number, new (asked: Asked) => ServerError>([
  [-101, NoNodeError],
  [-102, NoAuthError],
  [-103, BadVersionError],
  [-110, NodeExistsError],
  [-111, NotEmptyError],
]);

/** Every other code of ZooKeeper 3.9: its word, what it says, and whether asking again may help and cannot do harm. */
const others = new Map<number, readonly [code: string, text: string, retryable?: boolean]>([
  [-1, ['system-error', 'the server had an internal error; see its log']],
  [-2, ['runtime-inconsistency', 'the server found itself in an inconsistent state']],
  [-3, ['data-inconsistency', 'the server found inconsistent data']],
  [-4, ['server-connection-loss', 'the server lost its connection to the ensemble']],
  [-5, ['marshalling-error', 'the server could not read the request']],
  [-6, ['unimplemented', 'this server does not support the operation, or has it disabled']],
  [-7, ['operation-timeout', 'the server gave up waiting']],
  [-8, ['bad-arguments', 'the server refused the arguments']],
  [-12, ['unknown-session', 'the server does not know this session']],
  [-13, ['new-config-no-quorum', 'the new configuration has no quorum of connected, synced members', true]],
  [-14, ['reconfig-in-progress', 'another reconfiguration is under way', true]],
  [-100, ['api-error', 'the server reported an error of the API']],
  [-108, ['no-children-for-ephemerals', 'an ephemeral node may not have children']],
  [-112, ['session-expired', 'the server says that the session has expired']],
  [-113, ['invalid-callback', 'the server reported an invalid callback']],
  [-114, ['invalid-acl', 'the ACL is empty or not valid for this session; is its auth added?']],
  [-115, ['auth-failed', 'the server refused the credentials']],
  [-118, ['session-moved', 'the session has moved to another server; it was not done here', true]],
  [-119, ['not-read-only', 'this server is read-only: it is cut off from its ensemble']],
  [-120, ['ephemeral-on-local-session', 'a local session may not create ephemeral nodes']],
  [-121, ['no-watcher', 'there is no such watch on the server']],
  [-122, ['request-timeout', 'the request took too long']],
  [-123, ['reconfig-disabled', 'reconfiguration is disabled; set reconfigEnabled=true on the servers']],
  [-124, ['session-closed-require-auth', 'the server closes sessions that have not authenticated; give auth or sasl']],
  [-125, ['quota-exceeded', 'the quota of this subtree is used up']],
  [-127, ['throttled', 'the server is overloaded and did not take the request', true]],
]);

/** With these the server says that something went wrong, not that it was not done. */
const unknowing: ReadonlySet<number> = new Set([-1, -2, -3, -4, -7, -100, -122]);

/** The typed error for a code the server answered. A code nobody has heard of is an error as well, never a crash. */
export function serverError(serverCode: number, asked: Asked): ServerError {
  const Named = named.get(serverCode);
  if (Named) return new Named(asked);
  const [code, text, retryable = false] = others.get(serverCode) ?? [
    'unknown-server-error',
    `the server answered with error ${serverCode}, which this client does not know`,
  ];
  const happened = others.has(serverCode) && !unknowing.has(serverCode) ? 'no' : 'unknown';
  return new ServerError(asked, { code, text, retryable, happened, serverCode });
}
