export { type LeaseEnd, LeaseEndedError } from './errors/lease-ended-error.ts';
export { WrongKindError } from './errors/wrong-kind-error.ts';
export type { Lease } from './lease.ts';
