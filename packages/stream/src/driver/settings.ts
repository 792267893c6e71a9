import type { ConnectionOptions as TlsOptions } from 'node:tls';

/** How to log in. A token is asked for anew whenever a connection needs one. */
export type Sasl =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
      readonly username: string;
      readonly password: string;
    }
  | { readonly mechanism: 'oauthbearer'; readonly token: () => string | Promise<string> };

/** How a driver reaches the cluster. Checked already; all times in milliseconds. */
export interface ConnectionSettings {
  /** Each `host:port`. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly tls: TlsOptions | undefined;
  readonly sasl: Sasl | undefined;
  /** How long a connection may take to be there. */
  readonly connectTimeout: number;
  /** How long one answer may take before the request counts as lost. */
  readonly requestTimeout: number;
  /** How long messages are tried to be delivered before their outcome is given up. */
  readonly deliveryTimeout: number;
}
