import { Testbed } from '@quorate/testbed';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { connect } from '../src/index.ts';
import { conformance } from './conformance.ts';

describe.each([1, 3] as const)('on %i members', (members) => {
  let bed: Testbed & { zookeeper: { url: string } };

  beforeAll(async () => {
    bed = await Testbed.start({ zookeeper: { members, jvm: ['-Dznode.container.checkIntervalMs=100'] } });
  });
  afterAll(() => bed?.[Symbol.asyncDispose]());

  conformance({
    open: async () => {
      const root = `/${expect.getState().currentTestName?.replaceAll(/\W+/g, '-')}`;
      const zk = await connect(`${bed.zookeeper.url}${root}`);
      await zk.create('/', '', { parents: true }).catch(() => undefined);
      return zk;
    },
    has: { modern: true },
  });
});
