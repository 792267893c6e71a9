import { expect, test } from 'vitest';
import { lineKindOf } from './in-line.ts';

test.for([
  ['lock', ['_c_2f6c1b1e-5a5d-4f0e-9d57-0f7d7c3f2a11-lock-0000000007']],
  ['lock', ['config', '45c1ae9668984d00ad01a8f50a774454-lock-0000000005']],
  ['read-write lock', ['_c_2f6c1b1e-__READ__0000000000', '_c_2f6c1b1e-__WRIT__-2147483648']],
  ['election', ['_c_2f6c1b1e-5a5d-4f0e-9d57-0f7d7c3f2a11-latch-0000000001']],
  ['permits', ['_c_2f6c1b1e-5a5d-4f0e-9d57-0f7d7c3f2a11-lease-0000000003']],
  [undefined, []],
  [undefined, ['lock-', 'lock-12', 'config', 'latch-00000000011', 'leases', 'locks']],
] as const)('%s is told by %j', ([kind, names]) => {
  expect(lineKindOf(names)).toBe(kind);
});
