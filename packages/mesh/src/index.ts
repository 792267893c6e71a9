export type { Duration } from '@quorate/core';
export type { Balancer, BalancerOptions, Endpoint, PickOptions } from './balance/balancer.ts';
export type { MeshRequestInit } from './balance/mesh-fetch.ts';
export type { PolicyName } from './balance/policy.ts';
export type { Config, StoredEntry } from './config/config.ts';
export {
  type DefaultsOptions,
  defaults,
  type Entry,
  type EntryKind,
  proxyDefaults,
  type Target,
} from './config/entry.ts';
export type { Intention, Intentions, Permission } from './config/intentions.ts';
export { type ResolverOptions, resolver } from './config/resolver.ts';
export { type RequestMatch, type Route, router } from './config/router.ts';
export { type Split, splitter } from './config/splitter.ts';
export type { InstanceEvent, SidecarEvent, TracedRequest, WatchEvent } from './diagnostics.ts';
export type { DiscoveryOptions, WatchOptions } from './discovery/instances.ts';
export type { InstanceStatus, ServiceInstance } from './discovery/service-instance.ts';
export type { Watch } from './discovery/watch.ts';
export { AgentCertificateError } from './errors/agent-certificate-error.ts';
export { AgentUnreachableError } from './errors/agent-unreachable-error.ts';
export { ConflictError } from './errors/conflict-error.ts';
export { ConsulError } from './errors/consul-error.ts';
export { EnvoyMissingError } from './errors/envoy-missing-error.ts';
export { EnvoyPairingError } from './errors/envoy-pairing-error.ts';
export { InvalidValueError } from './errors/invalid-value-error.ts';
export { MalformedReplyError } from './errors/malformed-reply-error.ts';
export { NoEndpointError } from './errors/no-endpoint-error.ts';
export { NotFoundError } from './errors/not-found-error.ts';
export { PermissionDeniedError } from './errors/permission-denied-error.ts';
export { ReplyTooLargeError } from './errors/reply-too-large-error.ts';
export { ServiceUnreachableError } from './errors/service-unreachable-error.ts';
export { SessionLostError } from './errors/session-lost-error.ts';
export { SidecarFailedError } from './errors/sidecar-failed-error.ts';
export { WrongServiceError } from './errors/wrong-service-error.ts';
export type { Kv } from './kv/kv.ts';
export type { CellValue, KvCell } from './kv/kv-cell.ts';
export type { KvEntry, KvOptions, KvSetOptions, KvWriteOptions } from './kv/kv-entry.ts';
export type { Schema } from './kv/schema.ts';
export type { Session, SessionOptions } from './kv/session.ts';
export { Mesh, type MeshBalancerOptions } from './mesh.ts';
export type { AgentTls, MeshOptions } from './options.ts';
export type { Check, FunctionCheck, GrpcCheck, HttpCheck, TcpCheck, TtlCheck } from './registration/check.ts';
export type { Instance } from './registration/instance.ts';
export type { Registration } from './registration/registration.ts';
export type { SidecarRegistration, Upstream } from './registration/sidecar-registration.ts';
export type { Authority, Root } from './security/authority.ts';
export { type Identity, isService, spiffeUri } from './security/identity.ts';
export { policies } from './security/policies.ts';
export type { Bootstrap } from './sidecar/bootstrap.ts';
export type { BootstrapOptions, SidecarOptions } from './sidecar/plan-sidecar.ts';
export type { Sidecar, SidecarState } from './sidecar/sidecar.ts';
