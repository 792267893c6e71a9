export type { AccessOptions } from './access.ts';
export type { AnyElection, LeadOptions } from './any-election.ts';
export type { AnyLock, LockAcquireOptions } from './any-lock.ts';
export { Barrier } from './barrier.ts';
export type { Candidate } from './candidate.ts';
export { Counter } from './counter.ts';
export { DoubleBarrier, type DoubleBarrierOptions } from './double-barrier.ts';
export type { AnySession } from './each-session.ts';
export { Election, type ElectionOptions } from './election.ts';
export { AlreadyCampaigningError } from './errors/already-campaigning-error.ts';
export { AlreadyJoinedError } from './errors/already-joined-error.ts';
export { BarrierStateError } from './errors/barrier-state-error.ts';
export { ContendedError } from './errors/contended-error.ts';
export { DifferentNumberError } from './errors/different-number-error.ts';
export { InvalidSettingsError, type SettingsIssue } from './errors/invalid-settings-error.ts';
export { type LeaseEnd, LeaseEndedError } from './errors/lease-ended-error.ts';
export { MirrorClosedError } from './errors/mirror-closed-error.ts';
export { MirrorTooLargeError } from './errors/mirror-too-large-error.ts';
export { QueueFullError } from './errors/queue-full-error.ts';
export { TokensExhaustedError } from './errors/tokens-exhausted-error.ts';
export { UnreadableItemError } from './errors/unreadable-item-error.ts';
export { WrongKindError } from './errors/wrong-kind-error.ts';
export type { Member } from './group/member.ts';
export type { Membership } from './group/membership.ts';
export { Group, type JoinAs, type JoinOptions } from './group.ts';
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
export type { MirrorChange } from './mirror/changes.ts';
export type { MirroredNode } from './mirror/copy.ts';
export { Mirror, type MirrorOptions, type MirrorState } from './mirror.ts';
export { type MultiLease, type MultiLock, multiLock } from './multi-lock.ts';
export type { Serializer } from './queue/serializer.ts';
export type { TakenItem } from './queue/taken-item.ts';
export { type PutOptions, Queue, type QueueOptions } from './queue.ts';
export { ReadWriteLock } from './read-write-lock.ts';
export { Semaphore, type SemaphoreOptions } from './semaphore.ts';
export { type Setting, Settings, type SettingsOptions, type SettingsWatchOptions } from './settings.ts';
export type { AcquireOptions } from './waiting/acquire-options.ts';
export type { WaitOptions } from './waiting/wait-options.ts';
