import type { Agent, Answer } from '../agent/agent.ts';
import { fields, list, text, truth } from '../agent/shape.ts';
import { checkName } from '../arguments.ts';
import type { Turn } from '../discovery/blocking-query.ts';
import { Following, type Watch } from '../discovery/watch.ts';
import type { Identity } from './identity.ts';

/** An authority that vouches for the services of the mesh. */
export interface Root {
  readonly id: string;
  readonly name: string;
  readonly pem: string;
  /** The one that signs now; older ones are still trusted while their certificates live. */
  readonly active: boolean;
  readonly validUntil: Date;
}

interface RawRoots {
  readonly TrustDomain: string;
  readonly Roots: readonly {
    readonly ID: string;
    readonly Name: string;
    readonly RootCert: string;
    readonly Active: boolean;
    readonly NotAfter: string;
  }[];
}

interface RawLeaf {
  readonly CertPEM: string;
  readonly PrivateKeyPEM: string;
  readonly ServiceURI: string;
  readonly SerialNumber: string;
  readonly ValidBefore: string;
}

const rawRoots = fields({
  TrustDomain: text,
  Roots: list(fields({ ID: text, Name: text, RootCert: text, Active: truth, NotAfter: text })),
});

const rawLeaf = fields({
  CertPEM: text,
  PrivateKeyPEM: text,
  ServiceURI: text,
  SerialNumber: text,
  ValidBefore: text,
});

interface Asking {
  readonly signal?: AbortSignal;
}

/** The certificate authority of the mesh, for programs that speak mutual TLS themselves. */
export class Authority {
  readonly #agent: Agent;

  constructor(agent: Agent) {
    this.#agent = agent;
  }

  async roots({ signal }: Asking = {}): Promise<{ readonly trustDomain: string; readonly roots: readonly Root[] }> {
    const { TrustDomain, Roots } = await this.#roots({ signal });
    const roots = Roots.map(({ ID, Name, RootCert, Active, NotAfter }) => ({
      id: ID,
      name: Name,
      pem: RootCert,
      active: Active,
      validUntil: new Date(NotAfter),
    }));
    return { trustDomain: TrustDomain, roots };
  }

  /** A certificate for a service. It lives for days: whoever stays longer watches. */
  async identity(service: string, { signal }: Asking = {}): Promise<Identity> {
    checkName('service', service);
    return (await this.#identity(service, { signal })).body;
  }

  /** The certificate now, and each new one before the old one is over. */
  watch(service: string, { signal }: Asking = {}): Watch<Identity> {
    checkName('service', service);
    return new Following({
      watched: `identity of ${service}`,
      ask: (turn) => this.#identity(service, turn),
      read: (identity) => identity,
      signal,
    });
  }

  /** Whether somebody with this certificate may come in to `service`, by the intentions; with the reason. */
  async authorizes(
    service: string,
    peer: { readonly uri: string; readonly serial: string },
    { signal }: Asking = {},
  ): Promise<{ readonly authorized: boolean; readonly reason: string }> {
    checkName('service', service);
    const { body } = await this.#agent.call<{ Authorized: boolean; Reason: string }>({
      operation: `authorize ${peer.uri} at ${service}`,
      method: 'POST',
      path: '/agent/connect/authorize',
      body: { Target: service, ClientCertURI: peer.uri, ClientCertSerial: peer.serial },
      repeatable: true,
      shape: fields({ Authorized: truth, Reason: text }),
      signal,
    });
    return { authorized: body.Authorized, reason: body.Reason };
  }

  async #identity(
    service: string,
    { index, wait, ...rest }: Partial<Omit<Turn, 'signal'>> & { readonly signal?: AbortSignal | undefined },
  ): Promise<Answer<Identity>> {
    const leaf = await this.#agent.call<RawLeaf>({
      operation: `get a certificate for ${service}`,
      path: `/agent/connect/ca/leaf/${service}`,
      query: { index, wait },
      shape: rawLeaf,
      ...rest,
    });
    const { Roots } = await this.#roots(rest);
    const { CertPEM, PrivateKeyPEM, ServiceURI, SerialNumber, ValidBefore } = leaf.body;
    const body = {
      service,
      uri: ServiceURI,
      tls: { ca: Roots.map(({ RootCert }) => RootCert), cert: CertPEM, key: PrivateKeyPEM },
      serial: SerialNumber,
      validUntil: new Date(ValidBefore),
    };
    return { ...leaf, body };
  }

  async #roots({ signal }: { readonly signal?: AbortSignal | undefined }): Promise<RawRoots> {
    const ask = { operation: 'get the authorities', path: '/agent/connect/ca/roots', shape: rawRoots, signal };
    return (await this.#agent.call<RawRoots>(ask)).body;
  }
}
