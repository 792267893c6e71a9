import { type BedOf, Testbed } from '@quorate/testbed';
import { connect, type ZooKeeper } from '@quorate/zookeeper';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { counterConformance } from './conformance/counter.ts';
import { groupConformance } from './conformance/group.ts';
import { mirrorConformance } from './conformance/mirror.ts';
import { settingsConformance } from './conformance/settings.ts';

let bed: BedOf<{ zookeeper: 1 }>;

beforeAll(async () => {
  bed = await Testbed.start({ zookeeper: 1 });
});
afterAll(() => bed?.[Symbol.asyncDispose]());

/** A session below a root that the sessions of one test share. */
async function open(): Promise<ZooKeeper> {
  const root = `/${expect.getState().currentTestName?.replaceAll(/\W+/g, '-')}`;
  const zk = await connect(`${bed.zookeeper.url}${root}`);
  await zk.create('/', '', { parents: true }).catch(() => undefined);
  return zk;
}

describe('counter', () => counterConformance(open));
describe('settings', () => settingsConformance(open));
describe('group', () => groupConformance(open));
describe('mirror', () => mirrorConformance(open));
