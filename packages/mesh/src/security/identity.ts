import type { PeerCertificate } from 'node:tls';
import { WrongServiceError } from '../errors/wrong-service-error.ts';

/** A service's certificate and key, and the authorities of the mesh: all that mutual TLS needs. */
export interface Identity {
  readonly service: string;
  /** `spiffe://….consul/ns/default/dc/dc1/svc/query` */
  readonly uri: string;
  /** Options of `node:tls`, to listen with (`requestCert: true` besides) and to connect with. */
  readonly tls: { readonly ca: readonly string[]; readonly cert: string; readonly key: string };
  readonly serial: string;
  readonly validUntil: Date;
}

/** The SPIFFE id in a certificate of the mesh. */
export function spiffeUri({ subjectaltname = '' }: Pick<PeerCertificate, 'subjectaltname'>): string | undefined {
  return subjectaltname
    .split(', ')
    .find((name) => name.startsWith('URI:spiffe://'))
    ?.slice('URI:'.length);
}

/**
 * For `checkServerIdentity` of `node:tls`: certificates of the mesh name a service and not a host.
 *
 *     connect({ ...identity.tls, host, port, checkServerIdentity: isService('query') });
 */
export function isService(service: string): (host: string, certificate: PeerCertificate) => Error | undefined {
  return (_, certificate) => {
    const uri = spiffeUri(certificate);
    const [, found] = /\/svc\/([^/]+)$/.exec(uri ?? '') ?? [];
    return found === service ? undefined : new WrongServiceError(service, found);
  };
}
