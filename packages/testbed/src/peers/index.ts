// For the tests and benchmarks of this repository alone, and not published: clients that are not ours, to compare with, and
// ports that no two of them are given.
export { Ports } from '../processes/ports.ts';
export { curatorProgram } from './curator.ts';
export { classPathOf } from './jars.ts';
export { kazooProgram } from './kazoo.ts';
export type { PeerProgram } from './peer-program.ts';
