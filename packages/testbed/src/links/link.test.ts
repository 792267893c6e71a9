import { expect, test } from 'vitest';
import { Ports } from '../processes/ports.ts';
import { Link } from './link.ts';

test.each([{ refuse: true }, { blackHole: true as const }, { blackHole: 'a' }])(
  'a datagram that is sent while the link has %j is lost, and those after healing arrive',
  async (faults) => {
    const link = new Link(['a', 'b'], new Ports());
    const arrived: string[] = [];
    await link.set(faults);
    link.post('a', () => arrived.push('lost'));
    await link.heal();
    link.post('a', () => arrived.push('well'));
    expect(arrived).toEqual(['well']);
  },
);
