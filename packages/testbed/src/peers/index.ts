// Clients that are not ours, for our tests and benchmarks to compare with. An entry of this repository alone: it is not published.
export { curatorProgram } from './curator.ts';
export { classPathOf } from './jars.ts';
export { kazooProgram } from './kazoo.ts';
export type { PeerProgram } from './peer-program.ts';
