/**
 * How long tests may take, in seconds of one lane on two quiet cores; two lanes run side by side, so the 25 minutes of
 * `npm test` are 3,000 of these, less a minute for what comes first.
 */
export const packageBudgets: Readonly<Record<string, number>> = {
  'packages/core': 10,
  'packages/testbed': 205,
  'packages/zookeeper': 130,
  'packages/coordination': 320,
  'packages/mesh': 120,
  'packages/cache': 95,
  'packages/cli': 125,
  'examples/concepts': 35,
  'packages/stream': 180,
  'packages/workflow': 230,
  'packages/storage': 65,
  'packages/service': 75,
  'examples/taxi': 300,
};

/** What a file may take that is not listed below. */
export const fileBudget = 30;

/** Files that take longer, and why they may. */
export const fileBudgets: Readonly<Record<string, { readonly seconds: number; readonly why: string }>> = {
  'packages/coordination/test/storm.test.ts': {
    seconds: 100,
    why: '12 schedules of 10 s, three at a time, each of many processes',
  },
  'packages/testbed/test/nothing-left.test.ts': { seconds: 35, why: 'each test is a program that starts and dies' },
  'packages/stream/test/driver/contract.test.ts': {
    seconds: 90,
    why: 'all that is promised of both drivers on one broker, side by side',
  },
  'packages/stream/test/suites.test.ts': {
    seconds: 45,
    why: 'five suites side by side, whose workers are killed and stand still',
  },
  'packages/stream/test/brokers.test.ts': { seconds: 70, why: 'a cluster of three, whose brokers die and come back' },
  'packages/stream/test/driver/append-cluster.soak.test.ts': {
    seconds: 110,
    why: 'each of three brokers is restarted, killed and cut off in turn',
  },
  'packages/workflow/test/kills.test.ts': {
    seconds: 60,
    why: 'fourteen workers die, each of them in a process that must start',
  },
  'packages/workflow/test/server-restarts.test.ts': { seconds: 45, why: 'a server is killed and started ten times' },
  'packages/mesh/test/authority.soak.test.ts': { seconds: 60, why: 'Consul spreads renewals over half a minute' },
};
