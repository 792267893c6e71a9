import { defineConfig } from 'vitest/config';

// Sources run unbuilt: this condition picks the .ts files of our own packages.
const conditions = ['@quorate/source'];

const project = (
  name: string,
  include: string[],
  options: { testTimeout: number; parallel: boolean; setup?: string[] },
): object => ({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name,
    include,
    testTimeout: options.testTimeout,
    globalSetup: options.setup ?? [],
    hookTimeout: 120_000,
    fileParallelism: options.parallel,
    allowOnly: !process.env.CI,
  },
});

export default defineConfig({
  test: {
    projects: [
      project('unit', ['packages/*/{src,workspace}/**/*.test.ts'], { testTimeout: 30_000, parallel: true }),
      project('integration', ['{packages,examples}/*/test/**/*.test.ts'], {
        testTimeout: 120_000,
        parallel: false,
        setup: ['packages/testbed/test/shared-bed.setup.ts'],
      }),
    ],
  },
});
