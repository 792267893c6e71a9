import { crc32c as theirs } from '@platformatic/kafka';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32c } from './crc32c.ts';

const rising = Buffer.from(Array.from({ length: 32 }, (_, index) => index));

// Those of RFC 3720, and the one that is published with every description of a CRC.
test.for([
  ['nothing', Buffer.alloc(0), 0],
  ['the nine digits', Buffer.from('123456789'), 0xe3069283],
  ['32 zeros', Buffer.alloc(32), 0x8a9136aa],
  ['32 bytes of ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
  ['32 rising bytes', rising, 0x46dd794e],
  ['32 falling bytes', Buffer.from(rising).reverse(), 0x113fdb5c],
] as const)('the checksum of %s is as published', ([, bytes, checksum]) => {
  expect(crc32c(bytes)).toBe(checksum);
});

test('it is that of another implementation, for bytes of each length and from each place on', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200, size: 'max' }), fc.nat(20), (random, from) => {
      const bytes = Buffer.from(random).subarray(from);
      expect(crc32c(bytes)).toBe(theirs(bytes) >>> 0);
    }),
  );
});
