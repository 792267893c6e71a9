import { type BedOf, Testbed } from '@quorate/testbed';
import { connect } from '@quorate/zookeeper';
import { afterAll, beforeAll, expect } from 'vitest';
import { counterConformance } from './conformance/counter.ts';
import { groupConformance } from './conformance/group.ts';
import { mirrorConformance } from './conformance/mirror.ts';
import { settingsConformance } from './conformance/settings.ts';
import type { Connect } from './conformance/store.ts';

let bed: BedOf<{ zookeeper: 1 }>;

beforeAll(async () => {
  bed = await Testbed.start({ zookeeper: 1 });
});
afterAll(() => bed?.[Symbol.asyncDispose]());

/** A session below a root that the sessions of one test share. */
const open: Connect = async () => {
  const root = `/${expect.getState().currentTestName?.replaceAll(/\W+/g, '-')}`;
  const zk = await connect(`${bed.zookeeper.url}${root}`);
  await zk.create('/', '', { parents: true }).catch(() => undefined);
  return zk;
};

counterConformance(open);
settingsConformance(open);
groupConformance(open);
mirrorConformance(open);
