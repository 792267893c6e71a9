import type { SASLOptions } from '@platformatic/kafka';
import type { Sasl } from '../settings.ts';

type Library = Pick<
  typeof import('@platformatic/kafka'),
  'AuthenticationError' | 'saslOAuthBearer' | 'saslPlain' | 'saslScramSha'
>;
type Authenticate = NonNullable<SASLOptions['authenticate']>;
type Response = Parameters<Parameters<Authenticate>[6]>[1];

const mechanisms = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
  oauthbearer: 'OAUTHBEARER',
} as const;

/** As the library wants to be told how to log in. `lifetime` is called with how long a login holds, in milliseconds, if it ends. */
export function login(library: Library, sasl: Sasl, lifetime: (ms: number) => void): SASLOptions {
  const authenticate = once(library, lifetime);
  const mechanism = mechanisms[sasl.mechanism];
  if (sasl.mechanism === 'oauthbearer') {
    // A broker that refuses a token says so in what it sends, and waits for a last word before it calls it an error.
    const authBytesValidator: SASLOptions['authBytesValidator'] = (bytes, callback) => {
      if (bytes.length === 0) callback(null, bytes);
      else callback(new library.AuthenticationError('the token was refused'));
    };
    return { mechanism, token: sasl.token, authBytesValidator, authenticate };
  }
  return { mechanism, username: sasl.username, password: sasl.password, authenticate };
}

/**
 * Logs in as the library does, and tells it of a login that does not end. It would log in anew on the same connection, among requests
 * that leave meanwhile, which a broker refuses; and at once, when 80 % of the time is longer than a timer can be (24.8 days).
 */
function once({ saslOAuthBearer, saslPlain, saslScramSha }: Library, lifetime: (ms: number) => void): Authenticate {
  return (mechanism, connection, api, username = '', password = '', token = '', callback) => {
    const answered = (error: Error | null, response?: Response): void => {
      if (response && response.sessionLifetimeMs > 0n) lifetime(Number(response.sessionLifetimeMs));
      callback(error, response && { ...response, sessionLifetimeMs: 0n });
    };
    if (mechanism === 'OAUTHBEARER') saslOAuthBearer.authenticate(api, connection, token, {}, answered);
    else if (mechanism === 'PLAIN') saslPlain.authenticate(api, connection, username, password, answered);
    else
      saslScramSha.authenticate(
        api,
        connection,
        mechanism === 'SCRAM-SHA-256' ? 'SHA-256' : 'SHA-512',
        username,
        password,
        saslScramSha.defaultCrypto,
        answered,
      );
  };
}
