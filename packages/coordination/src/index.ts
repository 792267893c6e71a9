export type { AcquireOptions } from './acquire-options.ts';
export type { AnyElection } from './any-election.ts';
export type { AnyLock, LockAcquireOptions } from './any-lock.ts';
export type { Candidate } from './candidate.ts';
export { Election, type ElectionOptions } from './election.ts';
export { AlreadyCampaigningError } from './errors/already-campaigning-error.ts';
export { type LeaseEnd, LeaseEndedError } from './errors/lease-ended-error.ts';
export { WrongKindError } from './errors/wrong-kind-error.ts';
export { inLine, type LineKind, lineKindOf } from './in-line.ts';
export type { OnSuspended } from './lease/hold.ts';
export type { Lease } from './lease/lease.ts';
export type { LockOptions } from './line/line-lock.ts';
export type { LineOptions } from './line/line-options.ts';
export type { Participant } from './line/participant.ts';
export { Lock } from './lock.ts';
export {
  type MemoryConnectOptions,
  type MemoryCoordination,
  type MemoryOptions,
  memoryCoordination,
} from './memory/memory-coordination.ts';
export type { MemoryWrite } from './memory/session.ts';
export { type MultiLease, type MultiLock, multiLock } from './multi-lock.ts';
export { ReadWriteLock } from './read-write-lock.ts';
export { Semaphore, type SemaphoreOptions } from './semaphore.ts';
