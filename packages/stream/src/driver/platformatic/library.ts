/** The library, as it was imported: it is an optional peer, and only the driver's entry imports it. */
export type Library = typeof import('@platformatic/kafka');
