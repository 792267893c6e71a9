import type { KafkaConfig, Mechanism, SASLOptions } from 'kafkajs';
import type { Sasl } from '../settings.ts';

/** As the package wants to be told how to log in. */
export function login(sasl: Sasl): NonNullable<KafkaConfig['sasl']> {
  return sasl.mechanism === 'oauthbearer' ? bearer(sasl.token) : ({ ...sasl } as SASLOptions);
}

/**
 * The package has this mechanism, and takes whatever the broker answers for a success: a token that was refused then looks like a
 * connection that breaks.
 */
function bearer(token: () => string | Promise<string>): Mechanism {
  return {
    mechanism: 'oauthbearer',
    authenticationProvider: ({ saslAuthenticate }) => ({
      authenticate: async () => {
        const asked = await ask(token);
        const answer = await saslAuthenticate({
          request: { encode: async () => sized(`n,,\u0001auth=Bearer ${asked}\u0001\u0001`) },
          response: { decode: async (bytes: Buffer) => bytes, parse: async (bytes: Buffer) => bytes.subarray(4) },
        });
        if (answer && answer.length > 0) throw new LoginError('the broker refuses the token');
      },
    }),
  };
}

/** The name by which the package, and all else here, knows that logging in has failed. */
export const loginFailed = 'KafkaJSSASLAuthenticationError';

class LoginError extends Error {
  readonly retriable = false;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = loginFailed;
  }
}

async function ask(token: () => string | Promise<string>): Promise<string> {
  try {
    return await token();
  } catch (cause) {
    throw new LoginError('there is no token', { cause });
  }
}

function sized(text: string): Buffer {
  const bytes = Buffer.alloc(4 + Buffer.byteLength(text));
  bytes.writeInt32BE(bytes.length - 4);
  bytes.write(text, 4);
  return bytes;
}
