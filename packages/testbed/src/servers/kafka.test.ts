import { expect, test } from 'vitest';
import { clusterId } from './kafka.ts';

test("a cluster's id is 16 bytes and never looks like an option", () => {
  for (let round = 0; round < 5_000; round += 1) {
    const id = clusterId();
    expect(Buffer.from(id, 'base64url')).toHaveLength(16);
    expect(id).not.toMatch(/^-/);
  }
});
