import type { StandardSchemaV1 } from '@standard-schema/spec';

export interface Limits {
  readonly max: number;
  readonly names: readonly string[];
}

type Issues = StandardSchemaV1.FailureResult['issues'][number][];

/** A Standard Schema written by hand: what the libraries give, without one of them. */
export const limits: StandardSchemaV1<Limits, Limits> = {
  '~standard': {
    version: 1,
    vendor: 'quorate-test',
    validate: (value) => {
      const { max, names } = (value ?? {}) as Partial<Limits>;
      const issues: Issues = [];
      if (typeof max !== 'number') issues.push({ path: ['max'], message: 'expected a number' });
      if (!Array.isArray(names)) issues.push({ path: [{ key: 'names' }], message: 'expected a list' });
      else {
        for (const [index, name] of names.entries())
          if (typeof name !== 'string') issues.push({ path: ['names', index], message: 'expected a string' });
      }
      return issues.length > 0 ? { issues } : { value: { max, names } as Limits };
    },
  },
};

/** What comes out is not what goes in, and it takes its time. */
export const moment: StandardSchemaV1<string, Date> = {
  '~standard': {
    version: 1,
    vendor: 'quorate-test',
    validate: async (value) => {
      const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
      return Number.isNaN(time) ? { issues: [{ message: 'expected a time' }] } : { value: new Date(time) };
    },
  },
};
